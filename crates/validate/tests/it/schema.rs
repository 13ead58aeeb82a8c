//! The schema says what the rules do.

use proptest::prelude::*;
use seawall_validate::{Limits, Validate, from_json, schema_of};
use serde_json::{Value, json};

use crate::article::CreateUserRequest;

/// An item on a shelf.
#[derive(Debug, Validate)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// What it is called.
    #[validate(chars(1..=3))]
    short_name: String,
    #[validate(range(-2..3), multiple_of(2))]
    count: i32,
    #[validate(range(..=0.5))]
    share: Option<f64>,
    #[validate(items(1..=2), each(one_of("a", "b")), unique)]
    tags: Option<Vec<String>>,
    #[validate(entries(..=2), keys(lowercase, chars(..=2)), values(range(..=9)))]
    #[serde(default)]
    labels: std::collections::BTreeMap<String, u8>,
    shape: Shape,
    #[validate(required)]
    flag: Option<bool>,
    inner: Option<Box<Self>>,
}

#[derive(Debug, Validate)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Point,
    Circle { radius: u8 },
    Other(Other),
}

#[derive(Debug, Validate)]
struct Other {
    external: External,
    adjacent: Option<Adjacent>,
}

#[derive(Debug, Validate)]
enum External {
    Unit,
    New(u8),
    Named { a: bool },
}

#[derive(Debug, Validate)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    New(u8),
}

fn small() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-4_i64..12).prop_map(Value::from),
        Just(json!(0.5)),
        Just(json!(300)),
        prop::sample::select(vec!["", "a", "b", "abc", "abcd", "éé", "Unit", "A"])
            .prop_map(Value::from),
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..4)
            .prop_map(Value::from),
        (-1_i64..11).prop_map(|n| json!({"a": n})),
        Just(json!({"a": 1, "b": 2, "c": 3})),
        Just(json!({"A": 1})),
        Just(json!({})),
    ]
}

fn external() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("Unit")),
        Just(json!({"Unit": null})),
        small().prop_map(|v| json!({"New": v})),
        small().prop_map(|v| json!({"Named": {"a": v}})),
        small(),
    ]
}

fn shape() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"kind": "point"})),
        small().prop_map(|v| json!({"kind": "circle", "radius": v})),
        small().prop_map(|v| json!({"radius": v, "kind": "point"})),
        (external(), small()).prop_map(
            |(e, v)| json!({"kind": "other", "external": e, "adjacent": {"t": "New", "c": v}})
        ),
        external().prop_map(|e| json!({"kind": "other", "external": e, "adjacent": {"t": "Unit"}})),
        small(),
    ]
}

/// An item of which at most two fields are wrong, so that a good part is accepted.
fn item() -> impl Strategy<Value = Value> {
    let fields = prop::sample::select(vec![
        "shortName",
        "count",
        "share",
        "tags",
        "labels",
        "flag",
        "unknown",
        "inner",
    ]);
    (
        prop::collection::vec((fields, prop::option::of(small())), 0..3),
        shape(),
        any::<bool>(),
    )
        .prop_map(|(changes, shape, nest)| {
            let mut item =
                json!({"shortName": "ab", "count": 2, "shape": {"kind": "point"}, "flag": true});
            if nest {
                item["inner"] =
                    json!({"shortName": "ab", "count": 0, "shape": shape, "flag": false});
            } else {
                item["shape"] = shape;
            }
            for (field, value) in changes {
                match value {
                    Some(value) => item[field] = value,
                    None => drop(item.as_object_mut().unwrap().remove(field)),
                }
            }
            item
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn schema_and_rules_agree(item in item()) {
        use std::sync::OnceLock;
        static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
        let schema = SCHEMA.get_or_init(|| jsonschema::draft202012::new(&schema_of::<Item>()).unwrap());
        let ours = from_json::<Item>(item.to_string().as_bytes(), &Limits::API);
        prop_assert_eq!(schema.is_valid(&item), ours.is_ok(), "{}: {:?}", item, ours);
    }
}

#[test]
fn schema_of_the_article_is_what_one_would_write() {
    let schema = schema_of::<CreateUserRequest>();
    let reference = schema["$ref"].as_str().unwrap();
    let user = &schema["$defs"][reference.rsplit('/').next().unwrap()];
    let expected = json!({
        "type": "object",
        "properties": {
            "email": {"type": "string", "maxLength": 254, "format": "email"},
            "name": {"type": "string", "minLength": 1, "maxLength": 100},
            "age": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 150}, {"type": "null"}]},
        },
        "required": ["email", "name"],
        "additionalProperties": false,
    });
    assert_eq!(*user, expected);
}

#[test]
fn documentation_becomes_description() {
    let schema = schema_of::<Item>();
    assert_eq!(
        schema["$defs"]["Item"]["description"],
        "An item on a shelf."
    );
    let name = &schema["$defs"]["Item"]["properties"]["shortName"];
    assert_eq!(name["description"], "What it is called.");
}
