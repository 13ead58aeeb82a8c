use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    name: String,
}

fn main() {}
