use seawall_validate::Validate;

#[derive(Validate)]
enum Never {}

fn main() {}
