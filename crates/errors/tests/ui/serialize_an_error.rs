use seawall_errors::{ApiError, codes};

fn main() {
    let error = ApiError::new(codes::CONFLICT);
    let _ = serde_json::to_string(&error);
}
