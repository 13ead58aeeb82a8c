//! Bodies: whatever comes, an answer within its bounds, and a value that keeps its rules.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use seawall_validate::{Kind, Limits, Parser, Validate, from_json};

#[derive(Debug, Validate)]
struct Order {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    email: String,
    #[validate(normalize(single_line), chars(1..=100))]
    name: String,
    #[validate(range(0..=150))]
    age: Option<u8>,
    #[validate(items(..=8), unique, each(chars(1..=16), slug))]
    #[serde(default)]
    tags: Vec<String>,
    #[validate(entries(..=4), keys(chars(1..=8)), values(range(-5..=5)))]
    #[serde(default)]
    counts: BTreeMap<String, i64>,
    #[validate(normalize(precis_username), chars(..=32))]
    handle: Option<String>,
    #[validate(normalize(precis_nickname, empty_as_none), chars(..=32))]
    nick: Option<String>,
    #[validate(items(..=4), normalize(dedup, sort), each(normalize(trim, default_if_blank("-")), chars(..=8)))]
    #[serde(default)]
    words: Vec<String>,
    #[validate(normalize(clamp(1..=100)))]
    limit: Option<u8>,
    payment: Option<Payment>,
    tree: Option<Tree>,
    price: Option<f64>,
}

#[derive(Debug, Validate)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Payment {
    Card {
        #[validate(chars(12..=19), luhn)]
        number: String,
    },
    Cash {
        #[validate(range(1..))]
        amount: u64,
    },
}

#[derive(Debug, Validate)]
struct Tree {
    #[validate(items(..=4))]
    #[serde(default)]
    branches: Vec<Tree>,
}

const LIMITS: Limits = Limits::API.body(4096).depth(8).nodes(200).keys(16).errors(5);

fuzz_target!(|body: &[u8]| {
    match from_json::<Order>(body, &LIMITS) {
        Ok(order) => {
            // What is taken is JSON to others too, and keeps its rules when they are asked again.
            assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
            assert!(Parser::new(&LIMITS).check(order).is_ok());
        }
        Err(refused) => {
            assert!((1..=5).contains(&refused.iter().count()), "{refused:?}");
            for violation in refused.iter() {
                assert!(!violation.message().is_empty());
                assert!(violation.pointer().len() < 4096);
            }
            // What we call malformed is no JSON to others.
            if refused.kind() == Kind::Malformed {
                assert!(serde_json::from_slice::<serde_json::Value>(body).is_err());
            }
        }
    }
});
