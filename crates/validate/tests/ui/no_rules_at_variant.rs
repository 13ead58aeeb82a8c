use seawall_validate::Validate;

#[derive(Validate)]
enum Kind {
    #[validate(range(0..=9))]
    A(u8),
}

fn main() {}
