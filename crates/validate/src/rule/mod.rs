//! Rules: functions that say whether a text is what it claims to be.
//!
//! Each works alone, without the derive, and most are `const`: a literal can be checked when the
//! program is compiled. None uses a regular expression, so none has a slow input.

mod email;
mod ip;
mod text;

pub use email::{is_email, is_email_rfc5321, is_email_structure, is_special_use_domain};
pub use ip::{is_cidr, is_cidr_network, is_ip, is_ipv4, is_ipv6};
pub use text::{
    fewer_chars_than, has_control, has_non_blank, is_bidi, is_invisible, more_chars_than,
};
