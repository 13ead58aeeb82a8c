//! Moments and days, beside a present of the test's.

use std::time::Duration;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use seawall_validate::{Code, Cx, Limits, Parser, Validate, Violation, Violations, schema_of};
use serde_json::json;

/// 2026-03-01T12:00:00Z
const NOW: Timestamp = Timestamp::constant(1_772_366_400, 0);
const MILLENNIUM: Timestamp = Timestamp::constant(946_684_800, 0);

#[derive(Debug, PartialEq, Validate)]
struct Event {
    #[validate(past)]
    created: Timestamp,
    #[validate(future, before(date(2030, 1, 1)))]
    day: Option<Date>,
    #[validate(within(Duration::from_secs(300)))]
    sent: Option<Timestamp>,
    #[validate(after(MILLENNIUM), with_context = not_now)]
    since: Option<Timestamp>,
    any: Option<Date>,
}

fn not_now(moment: &Timestamp, cx: &Cx<'_>) -> Result<(), Violation> {
    if *moment == cx.now() {
        Err(Violation::new(Code::CHECK))
    } else {
        Ok(())
    }
}

fn read(body: &str) -> Result<Event, Violations> {
    Parser::new(&Limits::API).at(NOW).json(body.as_bytes())
}

fn faults(body: &str) -> Vec<String> {
    match read(body) {
        Ok(_) => Vec::new(),
        Err(refused) => refused.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_present_is_neither_past_nor_future() {
    let past = |text: &str| faults(&format!(r#"{{"created":"{text}"}}"#));
    assert_eq!(past("2026-03-01T11:59:59.999999999Z"), [""; 0]);
    assert_eq!(past("2026-03-01T13:59:59+02:00"), [""; 0]);
    for late in [
        "2026-03-01T12:00:00Z",
        "2026-03-01T11:00:00-01:00",
        "9999-01-01T00:00:00Z",
    ] {
        assert_eq!(past(late), ["created: must be in the past"]);
    }
    let day = |text: &str| {
        faults(&format!(
            r#"{{"created":"2000-01-01T00:00:00Z","day":"{text}"}}"#
        ))
    };
    assert_eq!(day("2026-03-02"), [""; 0]);
    assert_eq!(day("2026-03-01"), ["day: must be in the future"]);
    assert_eq!(day("2029-12-31"), [""; 0]);
    assert_eq!(day("2030-01-01"), ["day: must be before 2030-01-01"]);
}

#[test]
fn the_edges_of_a_window_belong_to_it() {
    let sent = |text: &str| {
        faults(&format!(
            r#"{{"created":"2000-01-01T00:00:00Z","sent":"{text}"}}"#
        ))
    };
    for good in [
        "2026-03-01T11:55:00Z",
        "2026-03-01T12:05:00Z",
        "2026-03-01T12:00:00Z",
    ] {
        assert_eq!(sent(good), [""; 0]);
    }
    for bad in ["2026-03-01T11:54:59Z", "2026-03-01T12:05:00.000000001Z"] {
        assert_eq!(sent(bad), ["sent: must be at most 300 seconds from now"]);
    }
}

#[test]
fn a_moment_has_one_spelling() {
    let body = r#"{"created":"2026-02-29T00:00:00Z","day":"2026-3-2","sent":1772366400,
        "since":"2000-01-01T00:00:00Z","any":"2024-02-29T00:00:00Z"}"#;
    assert_eq!(
        faults(body),
        [
            "created: must be an RFC 3339 date-time",
            "day: must be a date (YYYY-MM-DD)",
            "sent: must be a string",
            "since: must be after 2000-01-01T00:00:00Z",
            "any: must be a date (YYYY-MM-DD)",
        ]
    );
    // What the library would read beside it.
    for other in [
        "2024-07-01 12:00Z",
        "20240701T120000Z",
        "2024-07-01T12:00:00[UTC]",
        "2024-07-01T12Z",
    ] {
        let body = format!(r#"{{"created":"{other}"}}"#);
        assert_eq!(
            faults(&body),
            ["created: must be an RFC 3339 date-time"],
            "{other}"
        );
    }
}

#[test]
fn rules_of_ones_own_ask_for_the_same_present() {
    let body = r#"{"created":"2000-01-01T00:00:00Z","since":"2026-03-01T12:00:00Z"}"#;
    assert_eq!(faults(body), ["since: is not valid here"]);
}

#[test]
fn a_moment_built_in_code_is_judged_alike() {
    let event = Event {
        created: NOW,
        day: Some(date(2026, 3, 1)),
        sent: None,
        since: Some(MILLENNIUM),
        any: None,
    };
    let refused = Parser::default().at(NOW).check(event).unwrap_err();
    let codes: Vec<_> = refused.iter().map(Violation::code).collect();
    assert_eq!(codes, ["date_past", "date_future", "date_after"]);
}

#[test]
fn the_clock_of_the_system_is_asked_where_nobody_says_the_time() {
    #[derive(Debug, Validate)]
    struct Birth {
        #[validate(past)]
        day: Date,
    }
    let parser = Parser::new(&Limits::API);
    assert!(parser.json::<Birth>(br#"{"day":"2026-01-01"}"#).is_ok());
    assert!(parser.json::<Birth>(br#"{"day":"9999-12-31"}"#).is_err());
}

#[test]
fn the_schema_tells_the_spelling() {
    let schema = schema_of::<Event>();
    let properties = &schema["$defs"]["Event"]["properties"];
    assert_eq!(
        properties["created"],
        json!({"type": "string", "format": "date-time"})
    );
    assert_eq!(
        properties["any"]["anyOf"][0],
        json!({"type": "string", "format": "date"})
    );
}

proptest! {
    #[test]
    fn every_moment_is_on_its_side(offset in -400_000_000_000_i64..400_000_000_000, zone in -1439_i32..1440) {
        let moment = NOW.checked_add(SignedDuration::from_millis(offset)).unwrap();
        let offset_from_utc = jiff::tz::Offset::from_seconds(zone * 60).unwrap();
        let text = moment.display_with_offset(offset_from_utc).to_string();
        let body = format!(r#"{{"created":"{text}","sent":"{text}"}}"#);
        let mut expected = Vec::new();
        if offset >= 0 {
            expected.push("date_past");
        }
        if offset.abs() > 300_000 {
            expected.push("date_within");
        }
        match read(&body) {
            Ok(event) => prop_assert!(expected.is_empty() && event.created == moment),
            Err(refused) => {
                let codes: Vec<_> = refused.iter().map(Violation::code).collect();
                prop_assert_eq!(codes, expected);
            }
        }
    }
}
