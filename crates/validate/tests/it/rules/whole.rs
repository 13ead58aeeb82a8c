//! What is said of a whole type: blanks, comparisons of fields, callers, attributes of serde.

use seawall_validate::{Code, Cx, Limits, Parser, Validate, Violation, from_json};

use super::{codes, listed};

#[derive(Debug, Default, PartialEq, Validate)]
#[serde(default)]
struct Form {
    #[validate(normalize(trim, default_if_blank("nobody")), chars(2..=9))]
    name: String,
    #[validate(normalize(trim, empty_as_none), chars(2..=9))]
    nick: Option<String>,
    #[validate(normalize(digits_only, empty_as_none), chars(..=9), parse)]
    seats: Option<std::num::NonZeroU8>,
}

#[test]
fn what_a_form_leaves_blank_is_nothing() {
    let body = |text: &str| -> Form { from_json(text.as_bytes(), &Limits::API).unwrap() };
    let blank = Form {
        name: "nobody".to_owned(),
        ..Form::default()
    };
    assert_eq!(body(r#"{"name":" ","nick":"","seats":"-"}"#), blank);
    assert_eq!(body(r#"{"name":"","nick":" \t","seats":null}"#), blank);
    let form: Form = seawall_validate::from_form(b"name=+&nick=&seats=", &Limits::API).unwrap();
    assert_eq!(form, blank);
    let filled = body(r#"{"name":" Al","nick":"\u0061b ","seats":"1 2"}"#);
    assert_eq!((&*filled.name, filled.nick.as_deref()), ("Al", Some("ab")));
    assert_eq!(filled.seats.map(|seats| seats.get()), Some(12));
    assert_eq!(
        codes::<Form>(r#"{"name":"a","nick":" a ","seats":"0"}"#),
        [
            "name:string_too_short",
            "nick:string_too_short",
            "seats:pattern"
        ]
    );
    let far = " ".repeat(37);
    assert_eq!(
        codes::<Form>(&format!(r#"{{"nick":"{far}","seats":7}}"#)),
        ["nick:string_too_long", "seats:type_string"]
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

macro_rules! made_by_a_macro {
    ($(#[$attr:meta])* $name:ident { $($(#[$field_attr:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, Validate)]
        $(#[$attr])*
        struct $name { $($(#[$field_attr])* $field: $type,)* }
    };
}

made_by_a_macro! {
    #[validate(check(self.least <= self.most, code = "range_inverted", field = "most"))]
    Made {
        #[validate(normalize(trim, default_if_blank("x")), chars(..=9), slug)]
        text: String,
        #[validate(range(0..=9))]
        least: u8,
        #[validate(normalize(clamp(0..=9)), multiple_of(3))]
        most: u8,
        #[validate(items(..=2), each(chars(..=9)), normalize(sort))]
        list: Vec<String>,
        #[validate(chars(..=9), required_if(self.least == 9))]
        note: Option<String>,
    }
}

#[test]
fn a_macro_may_make_the_type() {
    let body = r#"{"text":" ","least":9,"most":30,"list":[],"note":"x"}"#;
    assert_eq!(codes::<Made>(body), [""; 0]);
    let body = r#"{"text":"A","least":9,"most":1,"list":[7]}"#;
    assert_eq!(
        codes::<Made>(body),
        ["text:slug", "most:multiple_of", "list[0]:type_string"]
    );
    let body = r#"{"text":"a","least":9,"most":3,"list":[]}"#;
    assert_eq!(
        codes::<Made>(body),
        ["most:range_inverted", "note:required"]
    );
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
