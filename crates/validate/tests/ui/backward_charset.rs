use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(chars(..=9), charset("z-a"))]
    name: String,
}

fn main() {}
