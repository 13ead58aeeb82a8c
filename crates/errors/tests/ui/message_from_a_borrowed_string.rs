use seawall_errors::{ApiError, codes};

fn main() {
    let text = String::from("order 7");
    let _ = ApiError::new(codes::CONFLICT).message(text.as_str());
}
