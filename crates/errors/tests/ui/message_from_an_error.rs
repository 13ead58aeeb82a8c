use seawall_errors::{ApiError, codes};

fn main() {
    let cause = std::io::Error::other("/etc/secret");
    let _ = ApiError::new(codes::CONFLICT).message(cause.to_string());
}
