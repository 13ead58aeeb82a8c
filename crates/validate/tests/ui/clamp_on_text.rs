use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(normalize(clamp(1..=9)), chars(..=9))]
    field: String,
}

fn main() {}
