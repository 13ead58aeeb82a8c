use seawall_validate::Validate;

#[derive(Validate)]
enum Kind {
    Pair(u8, u8),
}

fn main() {}
