//! What a body pays for being read, normalised and checked, good or bad.

use std::fmt::Write as _;
use std::hint::black_box;

use garde::Validate as _;
use seawall_validate::{Limits, Validate, Violations, from_json, rule};
use serde::Deserialize;
use validator::ValidateEmail as _;

use crate::{
    area::{Area, Case},
    work::{Work, allocations, constant, peak_bytes, repeat},
};

/// The cases. Peers read with `serde_json`, normalise with the code that one would write by hand,
/// and check with garde; the regular expressions of both peers run with all that makes them fast.
#[must_use]
pub fn area() -> Area {
    Area::new("validate")
        .case(
            Case::new("create-user-clean", || ours_accepts(CLEAN))
                .peer("serde_json+garde", || garde_accepts(CLEAN)),
        )
        .case(
            Case::new("create-user-3-mistakes", || ours_refuses(MISTAKEN, 3))
                .peer("serde_json+garde", || garde_refuses(MISTAKEN, 3)),
        )
        .case(
            Case::new("order-100kb-1300-items", ours_reads_an_order)
                .peer("serde_json+garde", garde_reads_an_order),
        )
        .case(email("email-17-bytes", SHORT))
        .case(email("email-52-bytes", LONG))
        .case(
            Case::new("1mb-string-over-254", ours_refuses_a_megabyte)
                .peer("serde_json+garde", garde_refuses_a_megabyte),
        )
        .case(
            // The address and the name.
            Case::heap("allocations-a-user", || {
                allocations(|| ours(CLEAN, &Limits::API))
            })
            .peer("bound", || constant(2.0)),
        )
        .case(
            Case::heap("peak-bytes-1mb-string-over-254", || {
                let body = enormous();
                peak_bytes(move || ours(&body, &ROOMY))
            })
            .peer("bound", || constant(4096.0)),
        )
}

const CLEAN: &[u8] = br#"{"email":"alice@example.com","name":"Alice Smith","age":30}"#;
const MISTAKEN: &[u8] = br#"{"email":"alice.example.com","name":"","age":200}"#;
const SHORT: &str = "alice@example.com";
const LONG: &str = "alice.margaret.smith+newsletters@mail.example.museum";
const ITEMS: usize = 1_300;
const ROOMY: Limits = Limits::API.body(2 << 20);

#[derive(Debug, Validate)]
#[allow(dead_code, reason = "what is read is the work")]
struct CreateUser {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    email: String,
    #[validate(normalize(single_line), chars(1..=100))]
    name: String,
    #[validate(range(0..=150))]
    age: Option<u8>,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
struct PeerCreateUser {
    #[garde(length(chars, max = 254), email)]
    email: String,
    #[garde(length(chars, min = 1, max = 100))]
    name: String,
    #[garde(range(max = 150))]
    age: Option<u8>,
}

#[derive(Debug, Validate)]
#[allow(dead_code, reason = "what is read is the work")]
struct Order {
    #[validate(chars(1..=64))]
    customer: String,
    #[validate(items(1..=2000))]
    items: Vec<Item>,
}

#[derive(Debug, Validate)]
#[allow(dead_code, reason = "what is read is the work")]
struct Item {
    #[validate(chars(1..=32))]
    sku: String,
    #[validate(chars(1..=100))]
    name: String,
    #[validate(range(1..=999))]
    quantity: u32,
    #[validate(range(0..=10_000_000))]
    price: u64,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
struct PeerOrder {
    #[garde(length(chars, min = 1, max = 64))]
    #[allow(dead_code, reason = "what is read is the work")]
    customer: String,
    #[garde(length(min = 1, max = 2000), dive)]
    items: Vec<PeerItem>,
}

#[derive(Debug, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
struct PeerItem {
    #[garde(length(chars, min = 1, max = 32))]
    sku: String,
    #[garde(length(chars, min = 1, max = 100))]
    name: String,
    #[garde(range(min = 1, max = 999))]
    quantity: u32,
    #[garde(range(max = 10_000_000))]
    price: u64,
}

fn ours(body: &[u8], limits: &Limits) -> Result<CreateUser, Violations> {
    from_json(body, limits)
}

fn ours_accepts(body: &'static [u8]) -> Work {
    repeat(move || ours(black_box(body), &Limits::API).expect("good"))
}

fn ours_refuses(body: &'static [u8], mistakes: usize) -> Work {
    repeat(move || {
        let refused = ours(black_box(body), &Limits::API).expect_err("bad");
        assert_eq!(refused.iter().count(), mistakes);
        refused
    })
}

fn garde(body: &[u8]) -> Result<PeerCreateUser, garde::Report> {
    let mut user: PeerCreateUser = serde_json::from_slice(body).expect("it has the right types");
    user.email = user.email.trim().to_lowercase();
    user.name = single_line(&user.name);
    user.validate()?;
    Ok(user)
}

/// What one writes who knows that `split_whitespace` and `join` would make a list in between.
fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        if word.chars().any(char::is_control) {
            line.extend(word.chars().filter(|c| !c.is_control()));
        } else {
            line.push_str(word);
        }
    }
    line
}

fn garde_accepts(body: &'static [u8]) -> Work {
    repeat(move || garde(black_box(body)).expect("good"))
}

fn garde_refuses(body: &'static [u8], mistakes: usize) -> Work {
    repeat(move || {
        let refused = garde(black_box(body)).expect_err("bad");
        assert_eq!(refused.iter().count(), mistakes);
        refused
    })
}

fn ours_reads_an_order() -> Work {
    let body = order();
    repeat(move || {
        let order: Order = from_json(black_box(&body), &Limits::API).expect("good");
        assert_eq!(order.items.len(), ITEMS);
        order
    })
}

fn garde_reads_an_order() -> Work {
    let body = order();
    repeat(move || {
        let order: PeerOrder = serde_json::from_slice(black_box(&body)).expect("good");
        assert!(order.validate().is_ok() && order.items.len() == ITEMS);
        order
    })
}

fn ours_refuses_a_megabyte() -> Work {
    let body = enormous();
    repeat(move || ours(black_box(&body), &ROOMY).expect_err("too long"))
}

fn garde_refuses_a_megabyte() -> Work {
    let body = enormous();
    repeat(move || garde(black_box(&body)).expect_err("too long"))
}

fn email(name: &'static str, address: &'static str) -> Case {
    Case::new(name, move || {
        repeat(move || assert!(rule::is_email(black_box(address).as_bytes())))
    })
    .peer("garde", move || {
        repeat(move || assert!(garde::rules::email::parse_email(black_box(address)).is_ok()))
    })
    .peer("validator", move || {
        repeat(move || assert!(black_box(address).validate_email()))
    })
}

fn order() -> Vec<u8> {
    let mut body = String::from(r#"{"customer":"c-4711","items":["#);
    for number in 0..ITEMS {
        let comma = if number == 0 { "" } else { "," };
        let quantity = number % 9 + 1;
        write!(
            body,
            r#"{comma}{{"sku":"SKU-{number:06}","name":"A thing of oak no. {number}","quantity":{quantity},"price":19900}}"#
        )
        .expect("a string takes all");
    }
    body.push_str("]}");
    body.into_bytes()
}

fn enormous() -> Vec<u8> {
    let filling = "a".repeat(1_000_000);
    format!(r#"{{"email":"{filling}@example.com","name":"Alice","age":30}}"#).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_are_as_long_as_their_cases_say() {
        assert_eq!((CLEAN.len(), SHORT.len(), LONG.len()), (59, 17, 52));
        assert!(
            (100_000..115_000).contains(&order().len()),
            "{}",
            order().len()
        );
    }

    #[test]
    fn both_sides_make_the_same_of_a_body() {
        let body = b"{\"email\":\" Alice@Example.COM \",\"name\":\"Alice \\t Smith\\u0007\"}";
        let (ours, peer) = (ours(body, &Limits::API).unwrap(), garde(body).unwrap());
        assert_eq!((ours.email, ours.name), (peer.email, peer.name));
    }
}
