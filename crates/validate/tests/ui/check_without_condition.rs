use seawall_validate::Validate;

#[derive(Validate)]
#[validate(check(code = "inverted"))]
struct Span {
    start: u8,
    end: u8,
}

fn main() {}
