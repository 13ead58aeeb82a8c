use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(past, chars(..=20))]
    field: String,
}

fn main() {}
