use seawall_validate::Validate;

#[derive(Validate)]
#[validate(deny_unknwon)]
struct User {
    age: u8,
}

fn main() {}
