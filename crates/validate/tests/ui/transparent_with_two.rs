use seawall_validate::Validate;

#[derive(Validate)]
#[validate(transparent)]
struct Pair {
    a: u8,
    b: u8,
}

fn main() {}
