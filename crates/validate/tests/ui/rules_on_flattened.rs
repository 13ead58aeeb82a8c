use seawall_validate::Validate;

#[derive(Validate)]
struct Outer {
    #[serde(flatten)]
    #[validate(nested)]
    inner: Inner,
}

#[derive(Validate)]
struct Inner {
    a: u8,
}

fn main() {}
