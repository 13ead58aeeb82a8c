use seawall_validate::Validate;

#[derive(Validate)]
#[serde(content = "c")]
enum Kind {
    A,
}

fn main() {}
