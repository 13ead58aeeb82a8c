use seawall_validate::Validate;

#[derive(Validate)]
struct Tags {
    #[validate(items(..=9))]
    tags: Vec<String>,
}

fn main() {}
