use seawall_validate::Validate;

const LEAST: usize = 9;

#[derive(Validate)]
struct Tags {
    #[validate(items(LEAST..=3))]
    tags: Vec<u8>,
}

fn main() {}
