use seawall_errors::ErrorCode;

const CAPITAL: ErrorCode = ErrorCode::new("OutOfStock", 409, "Out of stock");
const STATUS: ErrorCode = ErrorCode::new("fine", 200, "Fine");

fn main() {
    let _ = (CAPITAL, STATUS);
}
