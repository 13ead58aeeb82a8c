use seawall_validate::Validate;

#[derive(Validate)]
struct Tags {
    tags: Vec<u8>,
}

fn main() {}
