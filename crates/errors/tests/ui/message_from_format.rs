use seawall_errors::{ApiError, codes};

fn main() {
    let id = 7;
    let _ = ApiError::new(codes::CONFLICT).message(format!("order {id}"));
}
