use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(normalize(empty_as_none), chars(..=9))]
    field: String,
}

fn main() {}
