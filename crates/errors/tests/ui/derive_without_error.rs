use seawall_errors::{ApiError, codes};

#[derive(Debug, ApiError)]
#[api(code = codes::CONFLICT)]
struct NotAnError;

fn main() {}
