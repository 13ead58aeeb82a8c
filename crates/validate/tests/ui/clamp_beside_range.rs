use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(normalize(clamp(1..=9)), range(..=5))]
    field: u8,
}

fn main() {}
