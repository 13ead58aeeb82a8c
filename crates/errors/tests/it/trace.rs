//! W3C Trace Context, by the cases that its validation service tries.

use proptest::prelude::*;
use seawall_errors::trace::{TraceContext, TraceParent, TraceState, TraceStateError};

const VALID: &str = "00-12345678901234567890123456789012-1234567890123456-01";
const TRACE: u128 = 0x1234_5678_9012_3456_7890_1234_5678_9012;

fn accepted(parent: &str) -> bool {
    let parsed = TraceParent::parse(parent.as_bytes());
    if let Ok(parsed) = parsed {
        assert_eq!(parsed.trace_id(), TRACE);
        assert_eq!(parsed.parent_id(), 0x1234_5678_9012_3456);
    }
    parsed.is_ok()
}

#[test]
fn well_formed_parents_are_accepted() {
    for good in [
        VALID,
        "00-12345678901234567890123456789012-1234567890123456-00",
        "00-12345678901234567890123456789012-1234567890123456-ff",
        " 00-12345678901234567890123456789012-1234567890123456-01",
        "\t 00-12345678901234567890123456789012-1234567890123456-01 \t",
        // Later versions may add fields after a dash.
        "cc-12345678901234567890123456789012-1234567890123456-01",
        "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "01-12345678901234567890123456789012-1234567890123456-01-",
    ] {
        assert!(accepted(good), "{good}");
    }
}

#[test]
fn malformed_parents_are_refused() {
    for bad in [
        "",
        "00",
        "00-12345678901234567890123456789012-1234567890123456",
        "00-12345678901234567890123456789012-1234567890123456-",
        "00-12345678901234567890123456789012-1234567890123456-1",
        "00-12345678901234567890123456789012-1234567890123456-001",
        "00-12345678901234567890123456789012-1234567890123456-01.",
        "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
        "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
        "ff-12345678901234567890123456789012-1234567890123456-01",
        ".0-12345678901234567890123456789012-1234567890123456-01",
        "0.-12345678901234567890123456789012-1234567890123456-01",
        "000-12345678901234567890123456789012-1234567890123456-01",
        "0-12345678901234567890123456789012-1234567890123456-01",
        "00-00000000000000000000000000000000-1234567890123456-01",
        "00-.2345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901.-1234567890123456-01",
        "00-123456789012345678901234567890123-1234567890123456-01",
        "00-1234567890123456789012345678901-1234567890123456-01",
        "00-12345678901234567890123456789012-0000000000000000-01",
        "00-12345678901234567890123456789012-.234567890123456-01",
        "00-12345678901234567890123456789012-123456789012345.-01",
        "00-12345678901234567890123456789012-12345678901234567-01",
        "00-12345678901234567890123456789012-123456789012345-01",
        "00-12345678901234567890123456789012-1234567890123456-.0",
        "00-12345678901234567890123456789012-1234567890123456-0.",
        "00_12345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901A-1234567890123456-01",
        "00-12345678901234567890123456789012-123456789012345A-01",
        "00-12345678901234567890123456789012-1234567890123456-0A",
        "0A-12345678901234567890123456789012-1234567890123456-01",
        "00-+2345678901234567890123456789012-1234567890123456-01",
        "00-1234567890123456789012345678901\u{e9}-123456789012345-01",
    ] {
        assert!(!accepted(bad), "{bad}");
    }
}

#[test]
fn a_child_keeps_trace_and_flags_under_a_new_parent() {
    let parent: TraceParent = VALID.parse().unwrap();
    let child = parent.child();
    assert_eq!(child.trace_id(), parent.trace_id());
    assert_ne!(child.parent_id(), parent.parent_id());
    assert!(child.is_sampled() && !child.is_random());
    assert!(!child.sampled(false).is_sampled());
    let random: TraceParent = VALID.replace("-01", "-02").parse().unwrap();
    assert!(random.child().is_random() && !random.child().is_sampled());
}

#[test]
fn unknown_flags_and_versions_are_not_passed_on() {
    let parent: TraceParent = VALID
        .replace("00-", "cc-")
        .replace("-01", "-ff")
        .parse()
        .unwrap();
    assert!(parent.to_string().starts_with("00-"));
    assert!(parent.to_string().ends_with("-03"));
}

#[test]
fn roots_are_valid_and_distinct() {
    let (a, b) = (TraceParent::root(true), TraceParent::root(false));
    assert!(a.is_sampled() && a.is_random() && !b.is_sampled());
    assert_ne!(a.trace_id(), b.trace_id());
    for root in [a, b] {
        assert_eq!(root.to_string().parse(), Ok(root));
    }
}

fn state(lines: &[&str]) -> Result<String, TraceStateError> {
    TraceState::parse(lines).map(|state| state.to_string())
}

#[test]
fn states_are_joined_trimmed_and_kept_in_order() {
    let check = |lines: &[&str], expected: &str| {
        assert_eq!(state(lines), Ok(expected.to_owned()), "{lines:?}");
    };
    check(&["foo=1,bar=2"], "foo=1,bar=2");
    check(
        &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
        "foo=1,bar=2,rojo=1,congo=2,baz=3",
    );
    check(&["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3");
    check(&["\t foo=1 \t"], "foo=1");
    check(&["", "foo=1", " , ,"], "foo=1");
    check(&[""], "");
    check(&["foo=1,foo=2", "foo=3"], "foo=1");
    check(&["foo@=1,bar=2"], "foo@=1,bar=2");
    check(
        &["foo@@bar=1,foo@bar@baz=2,0day=3"],
        "foo@@bar=1,foo@bar@baz=2,0day=3",
    );
    check(&["a= b  c"], "a= b  c");
    let all: String = (' '..='~').filter(|c| !matches!(c, ',' | '=')).collect();
    check(&[&format!("a={all}")], &format!("a={all}"));
}

#[test]
fn one_broken_member_discards_the_state() {
    for bad in [
        "foo =1",
        "FOO=1",
        "foo.bar=1",
        "@foo=1,bar=2",
        "_foo=1",
        "foo=bar=baz",
        "foo=,bar=3",
        "foo",
        "=1",
        "foo=1\t2",
        "foo=é",
        "foo=\u{7f}",
        "bar=2,;",
    ] {
        assert_eq!(state(&[bad]), Err(TraceStateError::Member), "{bad:?}");
    }
}

#[test]
fn lengths_are_limited() {
    let member = |key: usize, value: usize| {
        state(&[&format!("{}={}", "z".repeat(key), "v".repeat(value))]).is_ok()
    };
    assert!(member(256, 256));
    assert!(!member(257, 1));
    assert!(!member(1, 257));

    let members = |count: usize| {
        let lines: Vec<_> = (0..count).map(|i| format!("bar{i}={i}, ,")).collect();
        TraceState::parse(lines)
    };
    assert_eq!(members(32).unwrap().iter().count(), 32);
    assert_eq!(members(33), Err(TraceStateError::TooMany));
}

#[test]
fn the_latest_writer_comes_first_and_the_last_gives_way() {
    let mut state = TraceState::parse((0..32).map(|i| format!("k{i}={i}"))).unwrap();
    state.insert("k5", "new").unwrap();
    assert_eq!(state.iter().count(), 32);
    assert_eq!(state.iter().next(), Some(("k5", "new")));
    assert_eq!(state.get("k31"), Some("31"));
    assert_eq!(state.iter().filter(|(key, _)| *key == "k5").count(), 1);
    state.insert("mine", "1").unwrap();
    assert_eq!(state.iter().count(), 32);
    assert_eq!((state.get("mine"), state.get("k31")), (Some("1"), None));
    state.remove("mine");
    assert_eq!(state.get("mine"), None);
    for (key, value) in [
        ("Bad", "1"),
        ("good", ""),
        ("good", "a,b"),
        ("", "1"),
        ("good", "1 "),
    ] {
        assert_eq!(
            state.insert(key, value),
            Err(TraceStateError::Member),
            "{key}={value}"
        );
    }
}

#[test]
fn a_context_is_taken_up_only_from_exactly_one_valid_parent() {
    let context = |parents: &[&str], states: &[&str]| {
        let context = TraceContext::from_headers(parents, states);
        (
            context.parent().trace_id() == TRACE,
            context.state().to_string(),
        )
    };
    assert_eq!(context(&[VALID], &["foo=1"]), (true, "foo=1".into()));
    assert_eq!(context(&[VALID], &["foo=1,BAD"]), (true, String::new()));
    assert_eq!(context(&[VALID, VALID], &["foo=1"]), (false, String::new()));
    assert_eq!(context(&["nonsense"], &["foo=1"]), (false, String::new()));
    assert_eq!(context(&[], &["foo=1"]), (false, String::new()));
}

#[test]
fn a_child_context_carries_the_state() {
    let mut context = TraceContext::from_headers([VALID], ["foo=1"]);
    context.state_mut().insert("mine", "2").unwrap();
    let child = context.child();
    assert_eq!(child.state().to_string(), "mine=2,foo=1");
    assert_eq!(child.parent().trace_id(), TRACE);
    assert!(TraceContext::root(true).state().is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        parent in prop::collection::vec(any::<u8>(), 0..70),
        states in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4),
    ) {
        let context = TraceContext::from_headers([parent], states);
        prop_assert!(context.parent().trace_id() != 0);
    }

    #[test]
    fn a_parent_with_one_character_replaced_is_refused_or_printed_back(
        at in 0_usize..55, by in "[0-9a-fA-Fg. -]"
    ) {
        let mut text = VALID.to_owned();
        text.replace_range(at..=at, &by);
        if let Ok(parent) = text.parse::<TraceParent>() {
            // Versions and unknown flags aside, what is read is what is written.
            prop_assert_eq!(&parent.to_string()[3..52], &text[3..52]);
        }
    }

    #[test]
    fn a_state_that_is_read_prints_as_what_reads_the_same(
        line in "([a-z0-9@=, \t]|[a-z]{1,3}=[ -~]{1,3},){0,30}"
    ) {
        if let Ok(state) = TraceState::parse([&line]) {
            prop_assert_eq!(TraceState::parse([state.to_string()]), Ok(state));
        }
    }
}
