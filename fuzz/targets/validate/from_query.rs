//! Queries and forms: text of another kind, the same promises.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_validate::{Limits, Parser, Validate, from_form, from_query};

#[derive(Debug, PartialEq, Validate)]
struct Search {
    #[validate(normalize(trim), chars(1..=40))]
    q: String,
    #[validate(range(1..=1000))]
    page: Option<u32>,
    #[validate(items(..=4), each(chars(1..=16)))]
    #[serde(default)]
    tag: Vec<String>,
    exact: Option<bool>,
    near: Option<f64>,
}

const LIMITS: Limits = Limits::API.body(4096).query(4096).pairs(16).errors(5);

fuzz_target!(|query: &str| {
    let read = from_query::<Search>(query, &LIMITS);
    // A form is a query in a body.
    let form = from_form::<Search>(query.as_bytes(), &LIMITS);
    assert_eq!(read.is_ok(), form.is_ok());
    match read {
        Ok(search) => assert!(Parser::new(&LIMITS).check(search).is_ok()),
        Err(refused) => assert!((1..=5).contains(&refused.iter().count()), "{refused:?}"),
    }
});
