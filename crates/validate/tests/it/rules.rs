//! Every rule of text, of numbers, of lists and of maps, as an attribute.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use seawall_validate::{Code, Cx, Limits, Parser, Validate, Violation, Violations, from_json};

fn codes<'a, T: Validate<'a>>(body: &'a str) -> Vec<String> {
    match from_json::<T>(body.as_bytes(), &Limits::API) {
        Ok(_) => Vec::new(),
        Err(violations) => listed(&violations),
    }
}

fn listed(violations: &Violations) -> Vec<String> {
    let one = |v: &Violation| format!("{}:{}", v.field().unwrap_or_default(), v.code());
    violations.iter().map(one).collect()
}

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
    seen_characters: [chars(..=9), graphemes(..=1)], ["👨‍👩‍👧"], ["ab"], "string_too_long";
}

#[derive(Debug, PartialEq, Validate)]
struct Numbers {
    #[validate(gt(0), lt(10))]
    open: i8,
    #[validate(range(0.5..=1.5))]
    float: f32,
    #[validate(multiple_of(5))]
    fives: u16,
    #[validate(safe_int)]
    safe: i64,
    #[validate(range(..100))]
    below: Option<u8>,
    any: u64,
}

#[test]
fn numbers_are_read_wide_and_narrowed() {
    let body =
        r#"{"open":9,"float":1,"fives":10,"safe":9007199254740991,"any":18446744073709551615}"#;
    let numbers: Numbers = from_json(body.as_bytes(), &Limits::API).unwrap();
    assert_eq!(numbers.any, u64::MAX);
    let body = r#"{"open":0,"float":1.6,"fives":7,"safe":9007199254740992,"below":100,"any":1e30}"#;
    assert_eq!(
        codes::<Numbers>(body),
        [
            "open:number_too_small",
            "float:number_too_large",
            "fives:multiple_of",
            "safe:number_unsafe",
            "below:number_too_large",
            "any:number_too_large",
        ]
    );
    let refused = from_json::<Numbers>(body.as_bytes(), &Limits::API).unwrap_err();
    let messages: Vec<_> = refused.iter().map(|v| v.message().into_owned()).collect();
    assert_eq!(messages[0], "must be greater than 0");
    assert_eq!(messages[1], "must be at most 1.5");
}

#[derive(Debug, Default, PartialEq, Validate)]
#[serde(default)]
struct Collections<'a> {
    #[validate(items(1..=3), each(chars(1..=4)), unique)]
    tags: Vec<String>,
    #[validate(items(..=2), each(range(0..=9)))]
    set: BTreeSet<u8>,
    #[validate(entries(..=2), keys(chars(1..=3), lowercase), values(range(0..)))]
    labels: BTreeMap<String, i32>,
    #[validate(entries(..=2))]
    by_number: HashMap<u8, bool>,
    #[validate(items(..=2), each(items(..=2), each(bytes(..=2))))]
    grid: Option<Vec<Vec<Cow<'a, str>>>>,
    #[validate(items(..=2))]
    pairs: Vec<(u8, Option<bool>)>,
    #[validate(unbounded, each(unbounded))]
    free: Vec<String>,
    #[validate(serde)]
    raw: serde_json::Value,
    fixed: [u8; 2],
}

#[test]
fn lists_and_maps_have_rules_at_every_level() {
    let body = r#"{"tags":["a","b"],"set":[1,2],"labels":{"a":1},"by_number":{"7":true},
        "grid":[["a"],[]],"pairs":[[1,null]],"free":["x"],"raw":{"a":[1,null,"x"]},"fixed":[1,2]}"#;
    let read: Collections<'_> = from_json(body.as_bytes(), &Limits::API).unwrap();
    assert_eq!(read.labels["a"], 1);
    assert!(read.by_number[&7]);
    assert!(matches!(
        read.grid.as_ref().unwrap()[0][0],
        Cow::Borrowed("a")
    ));
    assert_eq!(read.raw["a"][2], "x");

    let body = r#"{"tags":["a","","a","b",7],"set":[1,1,20],"labels":{"a":-1,"A":1,"c":3},
        "by_number":{"x":true,"256":false},"grid":[["abc"],7],"pairs":[[1],[1,2,3]],"free":[7],
        "fixed":[1,2,3]}"#;
    assert_eq!(
        codes::<Collections<'_>>(body),
        [
            "tags[1]:string_too_short",
            "tags:too_many_items",
            "set[1]:duplicate_item",
            "set:too_many_items",
            "labels.a:number_too_small",
            "labels.A:charset",
            "labels:too_many_items",
            "by_number.x:type_integer",
            "by_number.256:number_too_large",
            "grid[0][0]:bytes_too_long",
            "grid[1]:type_array",
            "pairs[0]:too_few_items",
            "pairs[1][1]:type_boolean",
            "pairs[1]:too_many_items",
            "free[0]:type_string",
            "fixed:too_many_items",
        ]
    );
    assert_eq!(
        codes::<Collections<'_>>(r#"{"tags":["a","b","a"]}"#),
        ["tags[2]:duplicate_item"]
    );
    assert_eq!(
        codes::<Collections<'_>>(r#"{"tags":[]}"#),
        ["tags:too_few_items"]
    );
    assert_eq!(
        codes::<Collections<'_>>(r#"{"labels":{"a":1,"a":2}}"#),
        ["labels.a:duplicate_field"]
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

#[derive(Debug, Validate)]
#[validate(check(self.end > self.start, code = "range_inverted", message = "must be after start", field = "end"))]
#[validate(at_least_one_of(phone, mail), exactly_one_of(mail, post))]
struct Cross {
    start: u32,
    end: u32,
    #[validate(e164)]
    phone: Option<String>,
    #[validate(email)]
    mail: Option<String>,
    #[validate(chars(..=9), required_if(self.end > 100))]
    post: Option<String>,
    #[validate(chars(..=9))]
    password: String,
    #[validate(chars(..=9), same_as(password))]
    again: String,
    #[validate(when(start == &7, forbidden))]
    seven: Option<bool>,
}

#[test]
fn fields_are_compared_once_all_are_sound() {
    let good = r#"{"start":1,"end":2,"mail":"a@b.co","password":"p","again":"p"}"#;
    assert_eq!(codes::<Cross>(good), [""; 0]);
    let body =
        r#"{"start":7,"end":2,"mail":"a@b.co","post":"x","password":"p","again":"q","seven":true}"#;
    assert_eq!(
        codes::<Cross>(body),
        [
            "end:range_inverted",
            "post:exclusive",
            "again:mismatch",
            "seven:unknown_field"
        ]
    );
    let body = r#"{"start":7,"end":101,"password":"p","again":"p"}"#;
    assert_eq!(
        codes::<Cross>(body),
        ["phone:required", "mail:required", "post:required"]
    );
    let body = r#"{"start":7,"end":"x","password":"p","again":"q"}"#;
    assert_eq!(codes::<Cross>(body), ["end:type_integer"]);
}

struct Reserved(&'static [&'static str]);

fn not_reserved(name: &str, cx: &Cx<'_>) -> Result<(), Violation> {
    let reserved = cx
        .context::<Reserved>()
        .is_some_and(|all| all.0.contains(&name));
    if reserved {
        Err(Violation::new(Code::NOT_ONE_OF))
    } else {
        Ok(())
    }
}

#[derive(Debug, Validate)]
struct Handle(
    #[validate(normalize(trim, lower), chars(3..=9), with_context = not_reserved)] String,
);

#[test]
fn rules_may_ask_the_caller() {
    let parser = Parser::new(&Limits::API);
    assert!(parser.json::<Handle>(b"\"admin\"").is_ok());
    let reserved = Reserved(&["admin"]);
    let refused = parser
        .context(&reserved)
        .json::<Handle>(b"\" ADMIN \"")
        .unwrap_err();
    assert_eq!(listed(&refused), [":not_one_of"]);
}

#[derive(Debug, PartialEq, Validate)]
#[serde(rename_all = "camelCase")]
struct Names {
    first_name: Option<u8>,
    #[serde(rename = "last-name", alias = "surname")]
    last_name: Option<u8>,
    #[serde(default = "seven")]
    with_default: u8,
    #[serde(skip)]
    skipped: u8,
    #[validate(required)]
    needed: Option<u8>,
    r#type: Option<u8>,
    #[serde(flatten)]
    page: Page,
}

#[derive(Debug, PartialEq, Validate)]
#[validate(allow_unknown)]
struct Page {
    #[serde(default)]
    #[validate(range(..=100))]
    limit: u8,
    offset: Option<u32>,
}

fn seven() -> u8 {
    7
}

#[test]
fn serde_attributes_are_followed() {
    let body = r#"{"firstName":1,"surname":2,"needed":3,"type":4,"limit":5}"#;
    let names: Names = from_json(body.as_bytes(), &Limits::API).unwrap();
    let page = Page {
        limit: 5,
        offset: None,
    };
    let expected = Names {
        first_name: Some(1),
        last_name: Some(2),
        with_default: 7,
        skipped: 0,
        needed: Some(3),
        r#type: Some(4),
        page,
    };
    assert_eq!(names, expected);
    assert_eq!(
        codes::<Names>(
            r#"{"first_name":1,"last-name":1,"surname":1,"limit":101,"limit":1,"skipped":1,"needed":null}"#
        ),
        [
            "first_name:unknown_field",
            "last-name:duplicate_field",
            "limit:number_too_large",
            "limit:duplicate_field",
            "skipped:unknown_field",
            "needed:required",
        ]
    );
}
