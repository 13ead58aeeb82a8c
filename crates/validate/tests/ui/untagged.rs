use seawall_validate::Validate;

#[derive(Validate)]
#[serde(untagged)]
enum Kind {
    A(u8),
    B(bool),
}

fn main() {}
