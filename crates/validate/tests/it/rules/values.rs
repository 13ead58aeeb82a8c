//! Rules of numbers, of lists and of maps.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use seawall_validate::{Limits, Parser, Validate, from_json};

use super::{codes, listed};

#[derive(Debug, PartialEq, Validate)]
struct Clamped {
    #[validate(normalize(clamp(1..=100)))]
    limit: u8,
    #[validate(normalize(clamp(-0.5..=0.5)), required)]
    lean: Option<f64>,
    #[validate(normalize(clamp(MIN..=10)), multiple_of(5))]
    step: i64,
}

const MIN: i64 = -10;

#[test]
fn numbers_are_moved_to_the_nearest_that_is_permitted() {
    let clamped = |limit: &str, lean: &str, step: &str| {
        let body = format!(r#"{{"limit":{limit},"lean":{lean},"step":{step}}}"#);
        let read: Clamped = from_json(body.as_bytes(), &Limits::API).unwrap();
        (read.limit, read.lean.unwrap(), read.step)
    };
    assert_eq!(clamped("7", "0.25", "5"), (7, 0.25, 5));
    assert_eq!(clamped("1", "0.5", "-10"), (1, 0.5, -10));
    assert_eq!(clamped("0", "-3", "-11"), (1, -0.5, -10));
    // Also what does not even fit the type, or any integer.
    assert_eq!(clamped("300", "1e9", "1e300"), (100, 0.5, 10));
    assert_eq!(clamped("-1", "-1e9", "-1e300"), (1, -0.5, -10));
    let read: Clamped =
        seawall_validate::from_query("limit=999&lean=1&step=-999", &Limits::API).unwrap();
    assert_eq!((read.limit, read.step), (100, -10));
    assert_eq!(
        codes::<Clamped>(r#"{"limit":"7","lean":null,"step":7}"#),
        ["limit:type_integer", "step:multiple_of", "lean:required"]
    );
    // A value that was built in code is not moved, but judged.
    let built = Clamped {
        limit: 0,
        lean: Some(0.75),
        step: 0,
    };
    let refused = Parser::default().check(built).unwrap_err();
    assert_eq!(
        listed(&refused),
        ["limit:number_too_small", "lean:number_too_large"]
    );
}

#[derive(Debug, PartialEq, Validate)]
struct Tidied {
    #[validate(items(2..=6), each(normalize(lower), chars(..=4)), normalize(sort, dedup))]
    tags: Vec<String>,
    #[validate(items(..=6), normalize(dedup))]
    order: std::collections::VecDeque<u8>,
    #[validate(items(..=6), normalize(sort))]
    sorted: Box<[i8]>,
    #[validate(items(1..=6), normalize(dedup))]
    set: BTreeSet<u8>,
}

#[test]
fn lists_are_put_in_order_once_they_are_sound() {
    let body = r#"{"tags":["b","A","B","a"],"order":[3,1,3,2,1],"sorted":[3,-1,3],"set":[1,1,1]}"#;
    let read: Tidied = from_json(body.as_bytes(), &Limits::API).unwrap();
    assert_eq!(read.tags, ["a", "b"]);
    assert_eq!(read.order, [3, 1, 2]);
    assert_eq!(*read.sorted, [-1, 3, 3]);
    assert_eq!(read.set, BTreeSet::from([1]));
    // The most are counted as they were sent, the fewest as they are kept; and a list that misses
    // an item is not looked at as a whole.
    let body = r#"{"tags":["a","A"],"order":[1,1,1,1,1,1,1],"sorted":[300,1],"set":[]}"#;
    assert_eq!(
        codes::<Tidied>(body),
        [
            "tags:too_few_items",
            "order:too_many_items",
            "sorted[0]:number_too_large",
            "set:too_few_items",
        ]
    );
    let built = Tidied {
        tags: vec!["a".to_owned(), "b".to_owned(), "a".to_owned()],
        order: [1, 1].into(),
        sorted: Box::new([2, 1]),
        set: BTreeSet::from([1]),
    };
    let refused = Parser::default().check(built).unwrap_err();
    assert_eq!(
        listed(&refused),
        ["tags[2]:duplicate_item", "order[1]:duplicate_item"]
    );
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
