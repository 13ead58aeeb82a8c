use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(normalize(trim, sort), chars(..=9))]
    field: String,
}

fn main() {}
