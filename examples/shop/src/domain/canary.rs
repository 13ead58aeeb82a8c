//! Texts that live inside the service and must never reach a caller.
//!
//! Each failing dependency plants some of them in its error, in the places where real errors carry
//! such things: the statement, the file, the address with its password, the name of the type.

/// What sort of internal a text gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A statement or the message of a database.
    Sql,
    /// A path on the server's disk.
    Path,
    /// Where a dependency listens, and as whom the service logs in.
    Connection,
    /// The name of a type of the implementation.
    TypeName,
    /// The message of a panic.
    Panic,
    /// A key that opens something.
    Secret,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Sql,
        Self::Path,
        Self::Connection,
        Self::TypeName,
        Self::Panic,
        Self::Secret,
    ];

    /// The kind in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sql => "SQL text",
            Self::Path => "file path",
            Self::Connection => "connection string",
            Self::TypeName => "type name",
            Self::Panic => "panic text",
            Self::Secret => "secret",
        }
    }
}

/// One planted text.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    /// What it would give away.
    pub kind: Kind,
    /// The text to search for.
    pub text: &'static str,
}

/// The statement that the database refuses.
pub const STATEMENT: &str = "SELECT id, email, name, age FROM shop_users WHERE id = $1";
/// What the database says about it.
pub const SQLSTATE: &str = "ORA-00942: table or view does not exist";
/// Where the database is, and the password.
pub const DATABASE_URL: &str = "postgres://shop_rw:hunter2-canary@db-7.internal:5432/shop";
/// The file of the search index.
pub const INDEX_PATH: &str = "/srv/shop/index/segment-0042.idx";
/// Where sessions are kept.
pub const SESSION_URL: &str = "redis://:session-canary@cache-3.internal:6379/0";
/// Where mail goes out.
pub const RELAY: &str = "smtp://mailer:relay-canary@10.20.30.40:587";
/// The key of the payment provider.
pub const PROVIDER_KEY: &str = "sk_live_canary51Hq9ShopPayments";
/// What a panicking component says.
pub const PANIC: &str = "canary panic: lock poisoned while holding slot 17";

const fn plant(kind: Kind, text: &'static str) -> Canary {
    Canary { kind, text }
}

/// Every planted text.
pub const ALL: [Canary; 13] = [
    plant(Kind::Sql, STATEMENT),
    plant(Kind::Sql, SQLSTATE),
    plant(Kind::Path, INDEX_PATH),
    plant(Kind::Connection, DATABASE_URL),
    plant(Kind::Connection, SESSION_URL),
    plant(Kind::Connection, RELAY),
    plant(Kind::TypeName, "StatementFailed"),
    plant(Kind::TypeName, "SegmentUnreadable"),
    plant(Kind::TypeName, "SessionLookupFailed"),
    plant(Kind::TypeName, "ProviderRefused"),
    plant(Kind::TypeName, "RelayUnreachable"),
    plant(Kind::Panic, PANIC),
    plant(Kind::Secret, PROVIDER_KEY),
];
