//! What an input may cost before anything is built from it.

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $default:expr;)*) => {
        /// Bounds what one input may cost: a profile that is fixed when the program is compiled.
        ///
        /// `serde_json` hands over a string once its closing quote was read; so these limits bound
        /// what is *built*, and [`body`](Self::body) bounds what is *read*.
        ///
        /// # Examples
        ///
        /// ```
        /// use seawall_validate::{Limits, from_json};
        ///
        /// const SMALL: Limits = Limits::API.body(16);
        /// assert!(from_json::<u8>(b"7", &SMALL).is_ok());
        /// assert!(from_json::<u8>(b"7                ", &SMALL).is_err());
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $(pub(crate) $name: usize,)*
        }

        impl Limits {
            /// The default profile, for JSON services: each setting names its default.
            pub const API: Self = Self { $($name: $default,)* };

            $($(#[$doc])*
            #[must_use]
            pub const fn $name(mut self, most: usize) -> Self {
                self.$name = most;
                self
            })*
        }
    };
}

limits! {
    /// Bytes of a body; 1 MiB. The rule of axum and actix is 2 MiB and 256 KiB; an API that takes
    /// no files rarely needs either.
    body: 1 << 20;
    /// Levels of nesting; 32. Values above 120 count as 120, since `serde_json` refuses at 128.
    depth: 32;
    /// Values in all, nested ones included; 100,000.
    nodes: 100_000;
    /// Keys of one object; 256.
    keys: 256;
    /// Bytes of one key; 128.
    key: 128;
    /// Bytes of a text whose field is `unbounded`; 64 KiB.
    string: 64 << 10;
    /// Items of a list or map whose field is `unbounded`; 1,000.
    items: 1_000;
    /// Violations that are collected before reading stops; 32.
    errors: 32;
    /// Bytes of a query; 8 KiB, what servers commonly take for the whole request line.
    query: 8 << 10;
    /// Pairs of a query, form or path; 64.
    pairs: 64;
    /// Header lines; 64 (hyper stops at 100).
    headers: 64;
    /// Bytes of all header lines together; 16 KiB, as hyper's for HTTP/2.
    header_bytes: 16 << 10;
    /// Bytes of one header's value; 8 KiB.
    header_value: 8 << 10;
}

/// Beyond this, `serde_json`'s own guard (128) would answer first, and less helpfully.
const DEEPEST: usize = 120;

impl Limits {
    pub(crate) const fn max_depth(&self) -> usize {
        if self.depth < DEEPEST {
            self.depth
        } else {
            DEEPEST
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::API
    }
}
