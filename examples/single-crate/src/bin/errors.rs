//! What the caller is told, and what is kept for the log.

use seawall_errors::{ApiError, RenderContext, Renderer, ResultExt};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let renderer = Renderer::new();
    let context = RenderContext::new().request_id("req_17");

    let error = load("/nowhere/secret.key").expect_err("there is no such file");
    let answer = renderer.render(&error, &context);
    println!(
        "caller: {} {}",
        answer.status,
        String::from_utf8(answer.body)?
    );
    println!("log:    {}", error.private().report());
    Ok(())
}

fn load(path: &str) -> Result<String, ApiError> {
    std::fs::read_to_string(path).internal()
}
