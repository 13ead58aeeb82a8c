//! Golden strings, and a second opinion on structured fields.

use seawall_ratelimit::headers::{self, Dialect, Dialects};
use seawall_ratelimit::{Decision, Mode, Policies, Policy, Quota, quota};
use sfv::{BareItem, ListEntry, Parser};

use crate::{key, n, s, store};

fn fields(decision: &Decision, dialects: impl Into<Dialects>) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    headers::write(decision, dialects, |name, value| {
        fields.push((name, value.to_owned()));
    });
    fields
}

fn check(decision: &Decision, dialects: impl Into<Dialects>, expected: &[(&str, &str)]) {
    let fields = fields(decision, dialects);
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(fields, expected);
}

fn decide(policies: &[(&str, Quota)], times: u32) -> Decision {
    let (store, _) = store();
    let mut builder = Policies::builder(store);
    for (name, quota) in policies {
        builder = builder.policy(Policy::new(name, *quota).unwrap());
    }
    let built = builder.build().unwrap();
    let keys: Vec<_> = policies.iter().map(|_| key("a")).collect();
    for _ in 1..times {
        let _ = built.check_now(&keys);
    }
    built.check_now(&keys).unwrap()
}

#[test]
fn an_allowed_request_in_both_dialects() {
    let decision = decide(&[("search", quota!("10/minute"))], 1);
    check(
        &decision,
        Dialects::ALL,
        &[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "9"),
            ("x-ratelimit-reset", "1700002806"),
            ("ratelimit-policy", "\"search\";q=10;w=60"),
            ("ratelimit", "\"search\";r=9;t=6"),
        ],
    );
}

#[test]
fn a_denial_has_retry_after_in_whole_seconds() {
    let decision = decide(&[("search", quota!("2/second"))], 3);
    check(
        &decision,
        Dialects::ALL,
        &[
            ("x-ratelimit-limit", "2"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1700002801"),
            ("ratelimit-policy", "\"search\";q=2;w=1"),
            ("ratelimit", "\"search\";r=0;t=1"),
            // 500 ms are not 0 s.
            ("retry-after", "1"),
        ],
    );
    check(&decision, Dialects::NONE, &[("retry-after", "1")]);
}

#[test]
fn the_limit_shown_is_the_capacity() {
    let decision = decide(&[("search", quota!("100/minute;burst=20"))], 1);
    let shown = fields(&decision, Dialect::XRateLimit);
    assert_eq!(shown[0], ("x-ratelimit-limit", "20".to_owned()));
    assert_eq!(shown[1], ("x-ratelimit-remaining", "19".to_owned()));
    check(
        &decision,
        Dialect::Ietf,
        &[
            ("ratelimit-policy", "\"search\";q=100;w=60"),
            ("ratelimit", "\"search\";r=19;t=1"),
        ],
    );
}

#[test]
fn the_binding_policy_speaks_and_all_are_listed() {
    let policies = [
        ("permin", quota!("50/minute")),
        ("perhr", quota!("1000/hour")),
    ];
    check(
        &decide(&policies, 2),
        Dialect::Ietf,
        &[
            (
                "ratelimit-policy",
                "\"permin\";q=50;w=60, \"perhr\";q=1000;w=3600",
            ),
            ("ratelimit", "\"permin\";r=48;t=2"),
        ],
    );
}

#[test]
fn windows_reset_when_they_end_or_have_slid_out() {
    let reset = |quota| {
        fields(&decide(&[("p", quota)], 1), Dialect::XRateLimit)[2]
            .1
            .clone()
    };
    assert_eq!(
        reset(quota!("10/hour;algorithm=fixed_window")),
        "1700006400"
    );
    assert_eq!(
        reset(quota!("10/hour;algorithm=sliding_window")),
        "1700010000"
    );
    assert_eq!(reset(quota!("10/hour")), "1700003160");
}

#[test]
fn a_period_below_a_second_has_no_window_parameter() {
    let decision = decide(&[("p", quota!("5/500ms"))], 1);
    let shown = fields(&decision, Dialect::Ietf);
    assert_eq!(shown[0].1, "\"p\";q=5");
    assert_eq!(shown[1].1, "\"p\";r=4;t=1");
}

#[test]
fn no_wait_helps_a_blocked_quota() {
    let decision = decide(&[("closed", quota!("0/day"))], 1);
    assert!(!decision.is_allowed());
    check(
        &decision,
        Dialects::ALL,
        &[
            ("x-ratelimit-limit", "0"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1700002800"),
            ("ratelimit-policy", "\"closed\";q=0;w=86400"),
            ("ratelimit", "\"closed\";r=0"),
        ],
    );
}

#[test]
fn shadows_are_not_shown() {
    let (store, _) = store();
    let policies = Policies::builder(store)
        .policy(Policy::new("seen", quota!("10/minute")).unwrap())
        .policy(
            Policy::new("hidden", quota!("1/minute"))
                .unwrap()
                .mode(Mode::Shadow),
        )
        .build()
        .unwrap();
    let keys = [key("a"), key("a")];
    let _ = policies.check_now(&keys);
    let decision = policies.check_now(&keys).unwrap();
    assert!(decision.is_allowed());
    for (_, value) in fields(&decision, Dialects::ALL) {
        assert!(!value.contains("hidden"), "{value}");
    }
    assert_eq!(fields(&decision, Dialect::XRateLimit)[1].1, "8");
}

#[test]
fn no_policy_no_fields() {
    check(&decide(&[], 1), Dialects::ALL, &[]);
}

#[test]
fn a_penalty_is_what_is_waited_for() {
    let (store, _) = store();
    let policy = Policy::new("login", quota!("1/second"))
        .unwrap()
        .block_for(s(90))
        .cost(n(1));
    let policies = Policies::builder(store).policy(policy).build().unwrap();
    let _ = policies.check_now(&[key("a")]);
    check(
        &policies.check_now(&[key("a")]).unwrap(),
        Dialects::ALL,
        &[
            ("x-ratelimit-limit", "1"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1700002890"),
            ("ratelimit-policy", "\"login\";q=1;w=1"),
            ("ratelimit", "\"login\";r=0;t=90"),
            ("retry-after", "90"),
        ],
    );
}

/// Every field must be a List of String Items with Integer parameters, as the draft defines them.
#[test]
fn another_parser_reads_them() {
    let odd = "!#$%&'()*+,-./:;<=>?@[]^_`{|}~";
    let policies = [
        ("plain", quota!("50/minute")),
        (odd, quota!("4294967295/week")),
        ("zero", quota!("0/s")),
    ];
    for times in [1, 60] {
        let decision = decide(&policies, times);
        for (name, value) in fields(&decision, Dialect::Ietf) {
            let list: sfv::List = Parser::new(&value).parse().unwrap();
            assert!(!list.is_empty());
            for entry in &list {
                let ListEntry::Item(item) = entry else {
                    panic!("{value}")
                };
                assert!(matches!(item.bare_item, BareItem::String(_)), "{value}");
                let keys: Vec<_> = item
                    .params
                    .keys()
                    .map(|key| key.as_str().to_owned())
                    .collect();
                let (required, optional) = match name {
                    "ratelimit-policy" => ("q", "w"),
                    _ => ("r", "t"),
                };
                assert_eq!(keys[0], required);
                assert!(keys[1..].iter().all(|key| key == optional), "{value}");
                for parameter in item.params.values() {
                    assert!(matches!(parameter, BareItem::Integer(_)), "{value}");
                }
            }
        }
    }
}

#[test]
fn a_dialect_given_twice_is_in_the_set() {
    let both = Dialects::from(Dialect::Ietf).with(Dialect::XRateLimit);
    assert_eq!(both.with(Dialect::Ietf), both);
    assert_eq!(both, Dialects::default());
    assert!(Dialects::from(Dialect::Ietf).has(Dialect::Ietf));
    assert!(!Dialects::from(Dialect::Ietf).has(Dialect::XRateLimit));
}
