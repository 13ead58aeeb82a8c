//! Every rule of text.

use std::borrow::Cow;

use seawall_validate::{Code, Limits, Validate, Violation, from_json};

use super::codes;

/// Tests each rule, and lists the rules with their codes for the guide.
macro_rules! text_rules {
    ($table:ident; $($name:ident: [$($rule:tt)*], $good:expr, $bad:expr, $code:literal;)*) => {
    pub(crate) const $table: &[(&str, &str)] = &[$((stringify!($($rule)*), $code)),*];
    $(
        #[test]
        fn $name() {
            #[derive(Debug, Validate)]
            struct One {
                #[validate($($rule)*)]
                value: String,
            }
            let body = |text: &str| format!(r#"{{"value":{}}}"#, serde_json::to_string(text).unwrap());
            for good in $good {
                assert_eq!(codes::<One>(&body(good)), [""; 0], "{good:?}");
            }
            for bad in $bad {
                let found = codes::<One>(&body(bad));
                assert_eq!(found, [concat!("value:", $code)], "{bad:?}");
            }
        }
    )*};
}

text_rules! {
    TEXT;
    chars_count_characters: [chars(2..=3)], ["éé", "abc"], ["abcd"], "string_too_long";
    chars_have_a_minimum: [chars(min = 2, max = 3)], ["éé"], ["é"], "string_too_short";
    bytes_count_bytes: [bytes(..=3)], ["é", "abc"], ["éé"], "bytes_too_long";
    utf16_counts_units: [utf16(..=2)], ["ab", "😀"], ["😀a"], "string_too_long";
    unbounded_is_bounded_by_the_limits: [unbounded, non_empty], ["a"], [""], "string_empty";
    blank_is_no_text: [chars(..=9), non_blank], [" a "], [" \u{3000}"], "string_blank";
    ascii_only: [chars(..=9), ascii], ["a\u{7f}"], ["é"], "charset";
    printable_only: [chars(..=9), printable_ascii], ["a b"], ["a\n"], "charset";
    letters_and_digits: [chars(..=9), alnum], ["aZ9"], ["a_"], "charset";
    digits_only: [chars(..=9), digits], ["09"], ["1.5", "٣"], "charset";
    hex_only: [chars(..=9), hex], ["aF0"], ["g"], "charset";
    lower_only: [chars(..=9), lowercase], ["ab"], ["aB"], "charset";
    upper_only: [chars(..=9), uppercase], ["AB"], ["aB"], "charset";
    own_set: [chars(..=9), charset("a-z0-9_ä")], ["a_9ä"], ["a-", "ö"], "charset";
    no_controls: [chars(..=9), no_control], ["ab"], ["a\n", "a\u{85}"], "control_character";
    no_controls_but_lines: [chars(..=9), no_control(allow_newline)], ["a\nb"], ["a\r\nb"], "control_character";
    no_direction: [chars(..=9), no_bidi], ["ab"], ["a\u{202e}b"], "bidi_character";
    nothing_hidden: [chars(..=9), no_invisible], ["a\u{200d}b"], ["a\u{200b}b"], "invisible_character";
    prefixed: [chars(..=9), prefix("ab")], ["abc"], ["bab"], "prefix";
    suffixed: [chars(..=9), suffix("ab")], ["cab"], ["abc"], "suffix";
    containing: [chars(..=9), contains("ab")], ["cabc"], ["ba"], "contains";
    not_containing: [chars(..=9), not_contains("ab")], ["ba"], ["cabc"], "not_contains";
    listed_values: [one_of("red", "green")], ["red"], ["blue"], "one_of";
    refused_values: [chars(..=9), not_one_of("root", "admin")], ["bob"], ["root"], "not_one_of";
    addresses: [email], ["a@b.co"], ["a@b", "a b@c.de"], "invalid_email";
    loose_addresses: [email(structure)], ["a b@c.d"], ["a@b"], "invalid_email";
    mailboxes: [email(rfc5321)], ["\"a b\"@c.de", "a@[127.0.0.1]"], ["a@[1]"], "invalid_email";
    real_domains: [email(deny_special)], ["a@b.co"], ["a@b.test", "a@b.LOCAL"], "invalid_email";
    host_names: [hostname], ["localhost", "a.b"], ["a_b", "1.2.3.4"], "hostname";
    domain_names: [fqdn], ["a.bc"], ["localhost"], "hostname";
    ip_addresses: [ip], ["1.2.3.4", "::1"], ["1.2.3", "01.2.3.4"], "ip";
    v4_addresses: [ipv4], ["1.2.3.4"], ["::1"], "ip";
    v6_addresses: [ipv6], ["::1"], ["1.2.3.4"], "ip";
    blocks: [cidr], ["10.1.0.0/8"], ["10.0.0.0"], "cidr";
    networks: [cidr(network)], ["10.0.0.0/8"], ["10.1.0.0/8"], "cidr";
    ports: [port], ["80"], ["0", "65536"], "port";
    hosts_and_ports: [host_and_port], ["a:1", "[::1]:80"], ["a"], "hostname";
    uuids: [uuid], ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], ["2eb8aa08"], "uuid";
    uuids_of_a_version: [uuid(4, 7)], ["2eb8aa08-aa98-41ea-b4aa-73b441d16380"], ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], "uuid";
    ulids: [ulid], ["01ARZ3NDEKTSV4RRFFQ69G5FAV"], ["01ARZ3NDEKTSV4RRFFQ69G5FA"], "ulid";
    nano_ids: [nanoid(4)], ["a_-9"], ["abc"], "nanoid";
    date_times: [datetime], ["2024-02-29T12:00:00Z"], ["2023-02-29T12:00:00Z"], "datetime";
    dates: [date], ["2024-02-29"], ["2023-02-29"], "date";
    times: [time], ["12:00:00Z"], ["12:00"], "time";
    durations: [duration], ["P1D"], ["1D"], "duration";
    base_64: [base64(..=3)], ["Zm9v"], ["Zg"], "encoding";
    base_64_url: [base64url(..=9)], ["Zm9vYg"], ["Zg=="], "encoding";
    hex_pairs: [hex_bytes(..=4)], ["00ff"], ["0"], "encoding";
    phone_numbers: [e164], ["+14155552671"], ["4155552671"], "e164";
    currencies: [currency], ["EUR"], ["EUX"], "currency";
    countries: [country], ["DE"], ["XX"], "country";
    languages: [language], ["de-DE"], ["de_DE"], "language";
    versions: [chars(..=64), semver], ["1.2.3"], ["1.2"], "semver";
    slugs: [chars(..=64), slug], ["a-b"], ["a--b"], "slug";
    tokens: [chars(..=64), jwt_shape], ["e30.e30."], ["e30"], "jwt_shape";
    cards: [luhn], ["4111111111111111"], ["4111111111111112"], "luhn";
    media_types: [mime], ["text/html; charset=utf-8"], ["text"], "mime";
    colours: [hex_color], ["#fff"], ["fff"], "hex_color";
    file_names: [file_name], ["a.txt"], ["../a", "CON"], "unsafe_path";
    header_values: [chars(..=64), header_safe], ["a b"], ["a\r\nb: c"], "header_unsafe";
    uris: [chars(..=64), uri], ["urn:a"], ["/a"], "url";
    references: [chars(..=64), uri_reference], ["/a"], ["a b"], "url";
    pointers: [chars(..=64), json_pointer], ["/a/~0"], ["a"], "pattern";
    money: [decimal(5, 2)], ["123.45", "-0.5"], ["1.234", "1e3"], "decimal_places";
    passwords: [chars(..=64), password(min = 8)], ["correct horse"], ["12345678", "Password1!"], "password_weak";
    codes_of_ones_own: [chars(..=9), slug(code = "bad_handle", message = "must be a handle")], ["a"], ["A"], "bad_handle";
    parsed_values: [chars(..=45), with = even_length], ["ab"], ["a"], "odd";
}

const ODD: Code = Code::new("odd", "must have an even length");

fn even_length(text: &str) -> Result<(), Violation> {
    if text.len().is_multiple_of(2) {
        Ok(())
    } else {
        Err(Violation::new(ODD))
    }
}

#[cfg(feature = "regex")]
text_rules! {
    PATTERNS;
    patterns_match_the_whole: [chars(..=9), pattern("[a-z]+|x")], ["abc"], ["abc1", "1abc", "a\n"], "pattern";
}

#[cfg(feature = "url")]
text_rules! {
    LINKS;
    links: [url], ["https://example.com/a"], ["example.com"], "url";
    links_of_a_scheme: [url(schemes = ["https", "http"])], ["http://a.bc"], ["ftp://a.bc"], "url_scheme";
    public_links: [url, public_host], ["https://example.com"], ["https://127.0.0.1"], "url_private_host";
}

#[cfg(feature = "idna")]
text_rules! {
    NAMES;
    addresses_everywhere: [email(idn)], ["jörg@münchen.de"], ["a@b c.de"], "invalid_email";
    hosts_everywhere: [hostname(idn)], ["münchen.de"], ["a b"], "hostname";
}

#[cfg(feature = "unicode")]
text_rules! {
    LETTERS;
    normal_form: [chars(..=9), nfc_only], ["é"], ["e\u{301}"], "not_normalized";
    one_script: [chars(..=9), single_script], ["paypal"], ["p\u{430}ypal"], "mixed_script";
    look_alikes: [chars(..=9), not_confusable_with("paypal")], ["alice"], ["p\u{430}ypal"], "confusable";
    user_names: [chars(..=9), precis_username], ["juliet", "fußball"], ["Juliet", "a b", "♚", ""], "bad_precis";
    user_names_with_case: [chars(..=9), precis_username_cased], ["Juliet"], ["a b", "e\u{301}"], "bad_precis";
    nicknames: [chars(..=9), precis_nickname], ["Foo Bar", "♚"], ["Foo  Bar", "a\u{7}"], "bad_precis";
    pass_phrases: [chars(..=9), precis_opaque], ["a B\u{2666}"], ["a\u{3000}b", "a\tb"], "bad_precis";
    seen_characters: [chars(..=9), graphemes(..=1)], ["👨‍👩‍👧"], ["ab"], "string_too_long";
}

#[cfg(feature = "unicode")]
#[test]
fn a_profile_that_normalises_also_checks() {
    #[derive(Debug, Validate)]
    struct Account {
        #[validate(normalize(precis_username), chars(1..=20))]
        user: String,
        #[validate(normalize(trim, precis_username_cased), chars(..=20), precis_username_cased(code = "bad_handle"))]
        handle: String,
        #[validate(normalize(precis_nickname), chars(..=20))]
        nick: Option<String>,
        #[validate(normalize(precis_opaque), chars(..=64))]
        password: Option<String>,
    }
    let body = r#"{"user":"ＪULIET","handle":" Jo ","nick":" a  b","password":"a\u00a0b"}"#;
    let account: Account = from_json(body.as_bytes(), &Limits::API).unwrap();
    assert_eq!((&*account.user, &*account.handle), ("juliet", "Jo"));
    assert_eq!(account.nick.as_deref(), Some("a b"));
    assert_eq!(account.password.as_deref(), Some("a b"));
    // One violation each, whether the rule is said or follows.
    let body = r#"{"user":"a b","handle":"a b","nick":"\u0007","password":"\u0007"}"#;
    assert_eq!(
        codes::<Account>(body),
        [
            "user:bad_precis",
            "handle:bad_handle",
            "nick:bad_precis",
            "password:bad_precis"
        ]
    );
}

#[derive(Debug, Validate)]
struct Borrowing<'a> {
    #[validate(normalize(trim), chars(..=9))]
    plain: &'a str,
    #[validate(chars(..=9))]
    cow: Cow<'a, str>,
    #[validate(parse, chars(..=9))]
    parsed: std::num::NonZeroU8,
    #[validate(parse, chars(..=9))]
    maybe: Option<std::num::NonZeroU8>,
}

#[test]
fn text_is_borrowed_where_it_can_be() {
    let body = r#"{"plain":" ab ","cow":"a\tb","parsed":"7","maybe":null}"#;
    let read: Borrowing<'_> = from_json(body.as_bytes(), &Limits::API).unwrap();
    assert_eq!(read.plain, "ab");
    assert!(matches!(read.cow, Cow::Owned(_)));
    assert_eq!(read.parsed.get(), 7);
    assert_eq!(read.maybe, None);
    let body = r#"{"plain":"\u0061","cow":"","parsed":"0","maybe":"x"}"#;
    assert_eq!(
        codes::<Borrowing<'_>>(body),
        ["plain:not_borrowed", "parsed:pattern", "maybe:pattern"]
    );
}
