use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(past)]
    field: u64,
}

fn main() {}
