//! Enums, recursion, generics, lifetimes, values built in code.

use std::borrow::Cow;
use std::fmt::Debug;

use seawall_validate::{Kind, Limits, Valid, Validate, Violation, from_json, from_query};

fn check<'a, T: Validate<'a> + Debug>(body: &'a str, expected: &[&str]) {
    let found: Vec<_> = match from_json::<T>(body.as_bytes(), &Limits::API) {
        Ok(_) => Vec::new(),
        Err(all) => {
            let one = |v: &Violation| format!("{}:{}", v.field().unwrap_or_default(), v.code());
            all.iter().map(one).collect()
        }
    };
    assert_eq!(found, expected, "{body}");
}

#[derive(Clone, Copy, Debug, PartialEq, Validate)]
#[serde(rename_all = "snake_case")]
enum Color {
    DarkRed,
    #[serde(alias = "blue")]
    SkyBlue,
}

#[test]
fn enums_of_names_are_texts() {
    assert_eq!(
        from_json::<Color>(b"\"dark_red\"", &Limits::API).unwrap(),
        Color::DarkRed
    );
    assert_eq!(
        from_json::<Color>(b"\"blue\"", &Limits::API).unwrap(),
        Color::SkyBlue
    );
    check::<Color>("\"green\"", &[":one_of"]);
    check::<Color>("7", &[":type_string"]);
    check::<Color>("1.5", &[":type_string"]);
    check::<Color>("null", &[":type_string"]);
    check::<Color>(r#"{"dark_red":null}"#, &[]);
    check::<Color>(r#"{"dark_red":1}"#, &["dark_red:type_null"]);
    check::<Color>("{}", &[":type_string"]);
    let refused = from_json::<Color>(b"\"green\"", &Limits::API).unwrap_err();
    let message = refused.iter().next().unwrap().message().into_owned();
    assert_eq!(message, "must be one of dark_red, sky_blue");
}

#[derive(Debug, PartialEq, Validate)]
enum Shape {
    Point,
    Circle(#[validate(range(1..=9))] u8),
    #[serde(rename_all = "camelCase")]
    Rect {
        #[validate(gt(0))]
        side_a: i32,
        side_b: i32,
        #[validate(chars(..=3))]
        label: Option<String>,
    },
}

#[test]
fn tags_stand_around_the_content() {
    assert_eq!(
        from_json::<Shape>(b"\"Point\"", &Limits::API).unwrap(),
        Shape::Point
    );
    assert_eq!(
        from_json::<Shape>(b"{\"Circle\":3}", &Limits::API).unwrap(),
        Shape::Circle(3)
    );
    let rect = br#"{"Rect":{"sideA":1,"sideB":2}}"#;
    let expected = Shape::Rect {
        side_a: 1,
        side_b: 2,
        label: None,
    };
    assert_eq!(from_json::<Shape>(rect, &Limits::API).unwrap(), expected);
    check::<Shape>("\"Circle\"", &[":type_object"]);
    check::<Shape>(r#"{"Circle":0}"#, &["Circle:number_too_small"]);
    check::<Shape>(
        r#"{"Rect":{"sideA":0,"x":1}}"#,
        &[
            "Rect.sideA:number_too_small",
            "Rect.x:unknown_field",
            "Rect.sideB:required",
        ],
    );
    check::<Shape>(r#"{"Circle":1,"Rect":{}}"#, &["Rect:unknown_field"]);
    check::<Shape>(r#"{"Square":{"a":[1]},"x":2}"#, &[":one_of"]);
    check::<Shape>("{}", &[":type_object"]);
}

#[derive(Debug, PartialEq, Validate)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Payment<'a> {
    Cash,
    Card(Card),
    Transfer {
        #[validate(chars(1..=34), alnum)]
        iban: Cow<'a, str>,
    },
}

#[derive(Debug, PartialEq, Validate)]
struct Card {
    #[validate(luhn)]
    number: String,
    #[serde(default)]
    save: bool,
}

#[test]
fn tags_stand_inside_wherever_they_stand() {
    let first = br#"{"type":"transfer","iban":"DE1"}"#;
    let last = br#"{"iban":"DE1","type":"transfer"}"#;
    for body in [&first[..], &last[..]] {
        let read: Payment<'_> = from_json(body, &Limits::API).unwrap();
        assert_eq!(
            read,
            Payment::Transfer {
                iban: Cow::Borrowed("DE1")
            }
        );
    }
    check::<Payment<'_>>(r#"{"type":"cash"}"#, &[]);
    check::<Payment<'_>>(r#"{"type":"cash","x":1}"#, &["x:unknown_field"]);
    check::<Payment<'_>>(r#"{"type":"card","number":"4111111111111111"}"#, &[]);
    check::<Payment<'_>>(
        r#"{"number":"4","save":1,"type":"card","z":[{}]}"#,
        &["number:luhn", "save:type_boolean", "z:unknown_field"],
    );
    check::<Payment<'_>>(r#"{"type":"gold","a":1}"#, &["type:one_of"]);
    check::<Payment<'_>>(r#"{"type":7}"#, &["type:type_string"]);
    check::<Payment<'_>>(r#"{"a":1}"#, &["type:required"]);
    check::<Payment<'_>>(
        r#"{"type":"cash","type":"card"}"#,
        &["type:duplicate_field"],
    );
    check::<Payment<'_>>("1.5", &[":type_object"]);
    check::<Payment<'_>>("[]", &[":type_object"]);
    check::<Payment<'_>>(
        r#"{"iban":"a","iban":"b","type":"transfer"}"#,
        &["iban:duplicate_field"],
    );
}

#[derive(Debug, PartialEq, Validate)]
#[serde(tag = "t", content = "c")]
enum Event {
    Ping,
    Count(u8),
    Named {
        #[validate(chars(1..=3))]
        name: String,
    },
}

#[test]
fn tags_stand_beside_in_either_order() {
    assert_eq!(
        from_json::<Event>(br#"{"c":7,"t":"Count"}"#, &Limits::API).unwrap(),
        Event::Count(7)
    );
    assert_eq!(
        from_json::<Event>(br#"{"t":"Count","c":7}"#, &Limits::API).unwrap(),
        Event::Count(7)
    );
    check::<Event>(r#"{"t":"Ping"}"#, &[]);
    check::<Event>(r#"{"t":"Ping","c":1}"#, &["c:type_null"]);
    check::<Event>(r#"{"t":"Count"}"#, &["c:required"]);
    check::<Event>(
        r#"{"c":{"name":""},"t":"Named"}"#,
        &["c.name:string_too_short"],
    );
    check::<Event>(
        r#"{"t":"Named","c":{"name":"","x":1},"z":1}"#,
        &[
            "c.name:string_too_short",
            "c.x:unknown_field",
            "z:unknown_field",
        ],
    );
    check::<Event>(r#"{"c":1}"#, &["t:required"]);
    check::<Event>(
        r#"{"t":"x","c":1,"t":"Ping"}"#,
        &["t:one_of", "t:duplicate_field"],
    );
    check::<Event>("2.5", &[":type_object"]);
}

#[derive(Debug, PartialEq, Validate)]
struct Tree {
    #[validate(range(0..=9))]
    value: u8,
    left: Option<Box<Self>>,
    #[validate(items(..=3))]
    others: Option<Vec<Self>>,
}

#[test]
fn recursive_types_end_at_the_depth_limit() {
    check::<Tree>(
        r#"{"value":1,"left":{"value":2,"others":[{"value":10}]}}"#,
        &["left.others[0].value:number_too_large"],
    );
    let deep = format!(
        "{}{{\"value\":1}}{}",
        "{\"value\":1,\"left\":".repeat(40),
        "}".repeat(40)
    );
    let refused = from_json::<Tree>(deep.as_bytes(), &Limits::API).unwrap_err();
    assert_eq!(refused.iter().last().unwrap().code(), "too_deep");
    assert_eq!(refused.kind(), Kind::Invalid);
}

#[derive(Debug, PartialEq, Validate)]
struct Page<T> {
    #[validate(items(..=2))]
    items: Vec<T>,
    next: Option<u32>,
}

#[derive(Debug, PartialEq, Validate)]
enum Either<L, R>
where
    L: PartialEq,
{
    Left(L),
    Right { right: R },
}

#[derive(Debug, PartialEq, Validate)]
#[validate(transparent)]
struct Wrapper<T> {
    inner: T,
}

#[test]
fn generic_types_read_what_can_be_read() {
    check::<Page<Either<u8, Color>>>(
        r#"{"items":[{"Left":1},{"Right":{"right":"x"}}]}"#,
        &["items[1].Right.right:one_of"],
    );
    assert_eq!(
        from_json::<Wrapper<u8>>(b"7", &Limits::API).unwrap(),
        Wrapper { inner: 7 }
    );
}

#[test]
fn values_built_in_code_are_held_to_the_same_rules() {
    let shape = Shape::Rect {
        side_a: 0,
        side_b: 1,
        label: Some("long".into()),
    };
    let refused = Valid::check(shape).unwrap_err();
    let found: Vec<_> = refused
        .iter()
        .map(|v| (v.field().unwrap(), v.code()))
        .collect();
    let expected = [
        ("sideA".to_owned(), "number_too_small"),
        ("label".to_owned(), "string_too_long"),
    ];
    assert_eq!(found, expected);
    let tree = Tree {
        value: 1,
        left: None,
        others: Some(Vec::new()),
    };
    assert_eq!(Valid::check(tree).unwrap().value, 1);
}

#[derive(Debug, PartialEq, Validate)]
struct Search {
    #[validate(normalize(trim), chars(1..=200))]
    q: String,
    #[validate(items(..=3), each(chars(1..=9)))]
    #[serde(default)]
    tag: Vec<String>,
    color: Option<Color>,
    exact: Option<bool>,
}

#[test]
fn queries_repeat_only_what_is_a_list() {
    let search: Search = from_query("q=+a+b&tag=x&tag=y&color=blue&exact=1", &Limits::API).unwrap();
    assert_eq!(search.tag, ["x", "y"]);
    assert_eq!(search.color, Some(Color::SkyBlue));
    assert_eq!(search.exact, Some(true));
    let refused = from_query::<Search>("q=a&q=b&tag=&x=1&exact=yes", &Limits::API).unwrap_err();
    let found: Vec<_> = refused
        .iter()
        .map(|v| (v.field().unwrap(), v.code()))
        .collect();
    let expected = [
        ("q", "duplicate_field"),
        ("tag[0]", "string_too_short"),
        ("x", "unknown_field"),
        ("exact", "type_boolean"),
    ];
    assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b)));
    assert_eq!(
        from_query::<Search>("q=%zz", &Limits::API)
            .unwrap_err()
            .kind(),
        Kind::Malformed
    );
    let long = format!("q={}", "a".repeat(9000));
    assert_eq!(
        from_query::<Search>(&long, &Limits::API)
            .unwrap_err()
            .kind(),
        Kind::QueryTooLong
    );
}
