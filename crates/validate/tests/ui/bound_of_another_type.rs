use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(after(jiff::civil::date(2020, 1, 1)))]
    field: jiff::Timestamp,
}

fn main() {}
