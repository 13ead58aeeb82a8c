use seawall_validate::Validate;

#[derive(Validate)]
struct Nothing;

fn main() {}
