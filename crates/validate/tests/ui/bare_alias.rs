use seawall_validate::Validate;

type Name = Option<String>;

#[derive(Validate)]
struct User {
    name: Name,
}

fn main() {}
