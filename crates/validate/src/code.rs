//! The closed list of what can be wrong: a machine code and the sentence that goes with it.

use std::fmt;

/// Names one way of being wrong: an identifier for programs and a sentence for people.
///
/// The sentence may name parameters of the violation in braces: `{max}` prints the parameter,
/// `{max|character}` prints it with the noun in the right number ("1 character", "5 characters").
///
/// # Examples
///
/// ```
/// use seawall_validate::Code;
///
/// const OUT_OF_STOCK: Code = Code::new("out_of_stock", "only {left|item} left");
/// assert_eq!(OUT_OF_STOCK.id(), "out_of_stock");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    id: &'static str,
    message: &'static str,
}

impl Code {
    /// Makes a code of your own.
    ///
    /// # Panics
    ///
    /// Panics, at compile time in a `const`, unless `id` is `snake_case` of 1 to 63 bytes.
    #[must_use]
    pub const fn new(id: &'static str, message: &'static str) -> Self {
        let bytes = id.as_bytes();
        assert!(
            !bytes.is_empty() && bytes.len() <= 63,
            "a code has 1 to 63 bytes"
        );
        let mut at = 0;
        while at < bytes.len() {
            let fits = matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'_');
            assert!(fits, "a code is snake_case: a-z, 0-9 and _");
            at += 1;
        }
        Self { id, message }
    }

    /// What programs compare.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.id
    }

    /// The sentence, with its parameters still in braces.
    #[must_use]
    pub const fn message(self) -> &'static str {
        self.message
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Code").field(&self.id).finish()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $message:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self::new($id, $message);)*

            /// Every code that this crate itself reports, in the order of its documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    /// A field that must be there is absent or null.
    REQUIRED = "required", "This field is required";
    /// The value is not text.
    TYPE_STRING = "type_string", "must be a string";
    /// The value is not a whole number.
    TYPE_INTEGER = "type_integer", "must be an integer";
    /// The value is not a number.
    TYPE_NUMBER = "type_number", "must be a number";
    /// The value is not true or false.
    TYPE_BOOLEAN = "type_boolean", "must be true or false";
    /// The value is not a list.
    TYPE_ARRAY = "type_array", "must be an array";
    /// The value is not an object.
    TYPE_OBJECT = "type_object", "must be an object";
    /// The value is not null.
    TYPE_NULL = "type_null", "must be null";
    /// The value has another shape than the foreign type behind the field.
    TYPE_MISMATCH = "type_mismatch", "has the wrong type";
    /// The key is not declared.
    UNKNOWN_FIELD = "unknown_field", "is not a known field";
    /// The key was seen before.
    DUPLICATE_FIELD = "duplicate_field", "is given more than once";
    /// Fewer characters than the minimum.
    STRING_TOO_SHORT = "string_too_short", "must be at least {min|character}";
    /// More characters than the maximum.
    STRING_TOO_LONG = "string_too_long", "must be at most {max|character}";
    /// Fewer bytes than the minimum.
    BYTES_TOO_SHORT = "bytes_too_short", "must be at least {min|byte}";
    /// More bytes than the maximum.
    BYTES_TOO_LONG = "bytes_too_long", "must be at most {max|byte}";
    /// No characters at all.
    STRING_EMPTY = "string_empty", "must not be empty";
    /// Nothing but white space.
    STRING_BLANK = "string_blank", "must not be blank";
    /// A character outside the permitted set.
    CHARSET = "charset", "must contain only {set}";
    /// A control character.
    CONTROL_CHARACTER = "control_character", "must not contain control characters";
    /// A character that turns the direction of the text.
    BIDI_CHARACTER = "bidi_character", "must not contain hidden characters";
    /// A character that cannot be seen.
    INVISIBLE_CHARACTER = "invisible_character", "must not contain hidden characters";
    /// Letters of several writing systems.
    MIXED_SCRIPT = "mixed_script", "must use one writing system";
    /// Looks like a reserved name.
    CONFUSABLE = "confusable", "is too similar to a reserved name";
    /// Not in Unicode's normal form C.
    NOT_NORMALIZED = "not_normalized", "must be in NFC form";
    /// Characters that its PRECIS profile refuses.
    BAD_PRECIS = "bad_precis", "must contain only permitted characters";
    /// Does not match the pattern.
    PATTERN = "pattern", "has an invalid format";
    /// Lacks the prefix.
    PREFIX = "prefix", "must start with {prefix}";
    /// Lacks the suffix.
    SUFFIX = "suffix", "must end with {suffix}";
    /// Lacks the part.
    CONTAINS = "contains", "must contain {part}";
    /// Has the forbidden part.
    NOT_CONTAINS = "not_contains", "must not contain {part}";
    /// Not one of the listed values.
    ONE_OF = "one_of", "must be one of {values}";
    /// One of the listed values.
    NOT_ONE_OF = "not_one_of", "must not be one of {values}";
    /// Not an email address.
    INVALID_EMAIL = "invalid_email", "Email format is invalid";
    /// Not a URL.
    URL = "url", "must be a valid URL";
    /// A URL of another scheme.
    URL_SCHEME = "url_scheme", "must be a URL with the scheme {schemes}";
    /// A URL that carries a user name or password.
    URL_CREDENTIALS = "url_credentials", "must be a URL without credentials";
    /// A host that is not public.
    URL_PRIVATE_HOST = "url_private_host", "must be a public address";
    /// Not a host name.
    HOSTNAME = "hostname", "must be a valid host name";
    /// Not an address.
    IP = "ip", "must be a valid IP address";
    /// Not a range of addresses.
    CIDR = "cidr", "must be a valid CIDR block";
    /// Not a port.
    PORT = "port", "must be a port number";
    /// Not a UUID.
    UUID = "uuid", "must be a valid UUID";
    /// Not a ULID.
    ULID = "ulid", "must be a valid ULID";
    /// Not a nano id.
    NANOID = "nanoid", "must be a valid id";
    /// Not a date with a time.
    DATETIME = "datetime", "must be an RFC 3339 date-time";
    /// Not a date.
    DATE = "date", "must be a date (YYYY-MM-DD)";
    /// Not a time of day.
    TIME = "time", "must be an RFC 3339 time";
    /// Not a duration.
    DURATION = "duration", "must be an ISO 8601 duration";
    /// Not before the present.
    DATE_PAST = "date_past", "must be in the past";
    /// Not after the present.
    DATE_FUTURE = "date_future", "must be in the future";
    /// Not before a moment.
    DATE_BEFORE = "date_before", "must be before {before}";
    /// Not after a moment.
    DATE_AFTER = "date_after", "must be after {after}";
    /// Too far from the present.
    DATE_WITHIN = "date_within", "must be at most {within|second} from now";
    /// Below the least number.
    NUMBER_TOO_SMALL = "number_too_small", "must be at least {min}";
    /// Above the greatest number.
    NUMBER_TOO_LARGE = "number_too_large", "must be at most {max}";
    /// Not above an excluded bound.
    NUMBER_NOT_ABOVE = "number_too_small", "must be greater than {above}";
    /// Not below an excluded bound.
    NUMBER_NOT_BELOW = "number_too_large", "must be less than {below}";
    /// Not a multiple.
    MULTIPLE_OF = "multiple_of", "must be a multiple of {of}";
    /// Infinite, or not a number.
    NOT_FINITE = "not_finite", "must be a finite number";
    /// More decimals than permitted.
    DECIMAL_PLACES = "decimal_places", "must have at most {max|decimal place}";
    /// Beyond what every JSON reader keeps exactly.
    NUMBER_UNSAFE = "number_unsafe", "must be a safe integer";
    /// Fewer items than the minimum.
    TOO_FEW_ITEMS = "too_few_items", "must have at least {min|item}";
    /// More items than the maximum.
    TOO_MANY_ITEMS = "too_many_items", "must have at most {max|item}";
    /// An item that is there already.
    DUPLICATE_ITEM = "duplicate_item", "must not contain duplicates";
    /// Not in the encoding.
    ENCODING = "encoding", "must be valid {encoding}";
    /// Not an E.164 telephone number.
    E164 = "e164", "must be a phone number in international format";
    /// Not a currency.
    CURRENCY = "currency", "must be a valid currency code";
    /// Not a country.
    COUNTRY = "country", "must be a valid country code";
    /// Not a language tag.
    LANGUAGE = "language", "must be a valid language tag";
    /// Not a semantic version.
    SEMVER = "semver", "must be a semantic version";
    /// Not a slug.
    SLUG = "slug", "must be a slug (a-z, 0-9 and single hyphens)";
    /// Not three base64url parts.
    JWT_SHAPE = "jwt_shape", "must be a JSON web token";
    /// A wrong check digit.
    LUHN = "luhn", "must be a valid card number";
    /// Not a media type.
    MIME = "mime", "must be a valid media type";
    /// Not a colour.
    HEX_COLOR = "hex_color", "must be a hex colour";
    /// Not a plain file name.
    UNSAFE_PATH = "unsafe_path", "must be a plain file name";
    /// Line breaks where a header cannot have them.
    HEADER_UNSAFE = "header_unsafe", "must not contain line breaks";
    /// Escapes where the text is borrowed from the input.
    NOT_BORROWED = "not_borrowed", "must be written without escapes and as it will be stored";
    /// Too easy to guess.
    PASSWORD_WEAK = "password_weak", "is too easy to guess";
    /// Two fields differ that must not.
    MISMATCH = "mismatch", "must match {field}";
    /// Two fields are the same that must not be.
    NO_DIFFERENCE = "no_difference", "must differ from {field}";
    /// A check across fields failed.
    CHECK = "check", "is not valid here";
    /// Fields that exclude each other.
    EXCLUSIVE = "exclusive", "must not be given together with {field}";
    /// Deeper than the limit.
    TOO_DEEP = "too_deep", "must not be nested deeper than {max|level}";
    /// More values than the limit.
    TOO_MANY_VALUES = "too_many_values", "must not hold more than {max|value}";
    /// More keys than the limit.
    TOO_MANY_KEYS = "too_many_keys", "must not have more than {max|key}";
    /// A key longer than the limit.
    KEY_TOO_LONG = "key_too_long", "must not have a key longer than {max|byte}";
    /// A body larger than the limit.
    BODY_TOO_LARGE = "body_too_large", "must not be larger than {max|byte}";
    /// A query longer than the limit.
    QUERY_TOO_LONG = "query_too_long", "must not be longer than {max|byte}";
    /// More headers, or larger ones, than the limit.
    HEADERS_TOO_LARGE = "headers_too_large", "must not be larger than the server accepts";
    /// Not JSON.
    MALFORMED_JSON = "malformed_json", "body is not valid JSON (line {line}, column {column})";
    /// Not percent-encoded text.
    MALFORMED_TEXT = "malformed_text", "is not valid percent-encoded UTF-8";
    /// A deserializer other than JSON could not read its input.
    MALFORMED = "malformed", "could not be read";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn article_codes_are_verbatim() {
        assert_eq!(Code::INVALID_EMAIL.id(), "invalid_email");
        assert_eq!(Code::INVALID_EMAIL.message(), "Email format is invalid");
        assert_eq!(Code::REQUIRED.message(), "This field is required");
    }

    #[test]
    fn one_id_has_one_meaning() {
        // Only the excluded bounds share the ids of the included ones.
        let mut ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(all - ids.len(), 2);
    }
}
