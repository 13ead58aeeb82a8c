//! Rules: functions that say whether a text is what it claims to be.
//!
//! Each works alone, without the derive, and most are `const`: a literal can be checked when the
//! program is compiled. None uses a regular expression, so none has a slow input.

mod code;
mod email;
mod encoding;
mod file;
mod host;
mod id;
#[cfg(feature = "idna")]
mod idn;
mod ip;
mod number;
#[cfg(feature = "unicode")]
mod precis;
mod text;
mod time;
#[cfg(feature = "unicode")]
mod unicode;
mod uri;
#[cfg(feature = "url")]
mod url;

pub use code::{
    is_country, is_currency, is_e164, is_hex_color, is_language, is_luhn, is_mime, is_semver,
    is_slug,
};
pub use email::{is_email, is_email_rfc5321, is_email_structure, is_special_use_domain};
pub use encoding::{base64_decoded_len, is_base64, is_base64url, is_hex_bytes, is_jwt_shape};
pub use file::{is_file_name, is_header_safe};
pub use host::{is_fqdn, is_host_and_port, is_hostname, is_port};
pub use id::{is_nanoid, is_ulid, is_uuid, is_uuid_version};
#[cfg(feature = "idna")]
#[cfg_attr(docsrs, doc(cfg(feature = "idna")))]
pub use idn::{is_email_idn, is_hostname_idn};
pub use ip::{is_cidr, is_cidr_network, is_ip, is_ipv4, is_ipv6, is_public_ip};
pub use number::{SAFE_INT, is_decimal, is_safe_int};
#[cfg(feature = "unicode")]
pub(crate) use precis::enforce;
#[cfg(feature = "unicode")]
#[cfg_attr(docsrs, doc(cfg(feature = "unicode")))]
pub use precis::{
    is_precis_nickname, is_precis_opaque, is_precis_username, is_precis_username_cased,
};
pub use text::{
    fewer_chars_than, has_no_bidi, has_no_control, has_no_control_but_newline, has_no_invisible,
    has_non_blank, is_alnum, is_ascii, is_bidi, is_digits, is_hex, is_invisible, is_lower_alpha,
    is_printable_ascii, is_upper_alpha, is_weak_password, more_chars_than,
};
pub use time::{is_date, is_datetime, is_duration, is_time};
#[cfg(feature = "unicode")]
#[cfg_attr(docsrs, doc(cfg(feature = "unicode")))]
pub use unicode::{graphemes, is_confusable, is_nfc, is_single_script};
pub use uri::{is_json_pointer, is_uri, is_uri_reference};
#[cfg(feature = "url")]
#[cfg_attr(docsrs, doc(cfg(feature = "url")))]
pub use url::{check_url, is_public_host};
