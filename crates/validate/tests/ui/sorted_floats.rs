use seawall_validate::Validate;

#[derive(Validate)]
struct One {
    #[validate(items(..=9), normalize(sort))]
    field: Vec<f64>,
}

fn main() {}
