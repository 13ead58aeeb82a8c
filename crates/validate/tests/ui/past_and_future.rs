use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(past, future)]
    field: jiff::Timestamp,
}

fn main() {}
