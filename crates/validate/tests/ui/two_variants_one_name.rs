use seawall_validate::Validate;

#[derive(Validate)]
enum Kind {
    A,
    #[serde(alias = "A")]
    B,
}

fn main() {}
