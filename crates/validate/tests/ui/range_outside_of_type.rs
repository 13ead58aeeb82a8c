use seawall_validate::Validate;

#[derive(Validate)]
struct User {
    #[validate(range(0..=300))]
    age: u8,
}

fn main() {}
