use seawall_validate::Validate;

#[derive(Validate)]
struct Pair(u8, u8);

fn main() {}
