use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(items(..=9), unique, normalize(dedup))]
    field: Vec<u8>,
}

fn main() {}
