use seawall_validate::Validate;

#[derive(Validate)]
struct Numbers {
    #[validate(items(..=9), unique)]
    all: Vec<f64>,
}

fn main() {}
