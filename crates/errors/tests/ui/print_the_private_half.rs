use seawall_errors::{ApiError, codes};

fn main() {
    let error = ApiError::new(codes::CONFLICT);
    println!("{}", error.private());
}
