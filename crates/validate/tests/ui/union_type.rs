use seawall_validate::Validate;

#[derive(Validate)]
union Bits {
    a: u8,
}

fn main() {}
