use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(before("2030-01-01"))]
    field: jiff::civil::Date,
}

fn main() {}
