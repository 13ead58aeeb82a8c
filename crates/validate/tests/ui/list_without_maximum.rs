use seawall_validate::Validate;

#[derive(Validate)]
struct Tags {
    #[validate(each(chars(..=9)))]
    tags: Vec<String>,
}

fn main() {}
