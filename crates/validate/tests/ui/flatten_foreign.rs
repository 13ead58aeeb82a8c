use seawall_validate::Validate;

#[derive(Validate)]
struct Outer {
    #[serde(flatten)]
    inner: u8,
}

fn main() {}
