use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(normalize(default_if_blank(" ")), chars(..=9))]
    field: String,
}

fn main() {}
