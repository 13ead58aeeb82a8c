use seawall_errors::ApiError;

fn read() -> Result<String, ApiError> {
    Ok(std::fs::read_to_string("/etc/secret")?)
}

fn main() {
    let _ = read();
}
