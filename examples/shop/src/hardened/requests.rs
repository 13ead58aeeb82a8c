//! What the routes take: each field with its limits, whichever framework reads it.

use seawall_validate::Validate;

/// A user to create.
#[derive(Validate)]
pub(super) struct CreateUser {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    pub(super) email: String,
    #[validate(normalize(single_line), chars(1..=100))]
    pub(super) name: String,
    #[validate(range(0..=150))]
    pub(super) age: Option<u8>,
}

/// Which user.
#[derive(Validate)]
pub(super) struct UserPath {
    #[validate(range(1..))]
    pub(super) user_id: u64,
}

/// What is searched for.
#[derive(Validate)]
pub(super) struct SearchQuery {
    #[validate(chars(1..=200))]
    pub(super) q: String,
}

/// A mail to send.
#[derive(Validate)]
pub(super) struct SendEmail {
    #[validate(normalize(trim), chars(..=254), email)]
    pub(super) to: String,
    #[validate(normalize(trim), chars(1..=200), header_safe)]
    pub(super) subject: String,
    #[validate(chars(..=100_000))]
    pub(super) body: String,
}

/// Whose build.
#[derive(Validate)]
pub(super) struct ProjectPath {
    #[validate(chars(1..=64), slug)]
    pub(super) project_id: String,
}

/// A build to start.
#[derive(Validate)]
pub(super) struct StartBuild {
    #[validate(chars(1..=200), printable_ascii)]
    pub(super) r#ref: Option<String>,
}

/// A payment to make.
#[derive(Validate)]
pub(super) struct Pay {
    #[validate(range(1..=9_007_199_254_740_991))]
    pub(super) amount: u64,
    #[validate(chars(3..=3), charset("A-Z"))]
    pub(super) currency: String,
    #[validate(normalize(single_line), chars(1..=64))]
    pub(super) customer: String,
}
