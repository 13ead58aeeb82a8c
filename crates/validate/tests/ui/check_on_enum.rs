use seawall_validate::Validate;

#[derive(Validate)]
#[validate(check(true))]
enum Kind {
    A,
}

fn main() {}
