use seawall_validate::Validate;

const LEAST: usize = 9;
const MOST: usize = 3;

#[derive(Validate)]
struct User {
    #[validate(chars(LEAST..=MOST))]
    name: String,
}

fn main() {}
