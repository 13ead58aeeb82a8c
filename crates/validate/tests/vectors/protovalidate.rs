//! protovalidate's conformance cases.

use seawall_validate::rule;

use crate::{Difference, Tally, load};

const POLICY: &[Difference] = &[
    Difference {
        rule: "IsHostname",
        ours: false,
        applies: |text| text.ends_with('.'),
        why: "a dot at the end is another spelling of the same name",
    },
    Difference {
        rule: "IsHostAndPort",
        ours: false,
        applies: |text| text.contains(".:"),
        why: "a dot at the end is another spelling of the same name",
    },
    Difference {
        rule: "IsHostAndPort",
        ours: false,
        applies: |text| text.contains('%'),
        why: "zones are refused",
    },
    Difference {
        rule: "IsIp",
        ours: false,
        applies: |text| text.contains('%'),
        why: "zones are refused",
    },
    Difference {
        rule: "IsEmail",
        ours: false,
        applies: |text| {
            let (local, domain) = text.rsplit_once('@').unwrap_or_default();
            let last = domain.rsplit('.').next().unwrap_or_default();
            !domain.contains('.')
                || local.starts_with('.')
                || local.ends_with('.')
                || local.contains("..")
                || local.len() > 64
                || !last.bytes().all(|b| b.is_ascii_alphabetic())
        },
        why: "email asks for a dot-atom of 64 bytes and a domain that could exist",
    },
];

fn rule_for(kind: &str, opts: &serde_json::Value) -> Option<fn(&str) -> bool> {
    let opt = |name: &str| opts[name].as_str().unwrap_or_default().to_owned();
    let none = opts.as_object().is_none_or(serde_json::Map::is_empty);
    Some(
        match (kind, opt("Version").as_str(), opt("Strict").as_str()) {
            ("IsHostname", ..) if none => |text| rule::is_hostname(text.as_bytes()),
            ("IsEmail", ..) if none => |text| rule::is_email(text.as_bytes()),
            ("IsUri", ..) if none => |text| rule::is_uri(text.as_bytes()),
            ("IsUriRef", ..) if none => |text| rule::is_uri_reference(text.as_bytes()),
            ("IsIp", "" | "proto.Int32(0)", "") => |text| rule::is_ip(text.as_bytes()),
            ("IsIp", "proto.Int32(4)", "") => |text| rule::is_ipv4(text.as_bytes()),
            ("IsIp", "proto.Int32(6)", "") => |text| rule::is_ipv6(text.as_bytes()),
            ("IsIpPrefix", "", "" | "proto.Bool(false)") => |text| rule::is_cidr(text.as_bytes()),
            ("IsIpPrefix", "", "proto.Bool(true)") => |text| rule::is_cidr_network(text.as_bytes()),
            ("IsIpPrefix", "proto.Int32(4)", "" | "proto.Bool(false)") => {
                |text| rule::is_cidr(text.as_bytes()) && !text.contains(':')
            }
            ("IsIpPrefix", "proto.Int32(6)", "" | "proto.Bool(false)") => {
                |text| rule::is_cidr(text.as_bytes()) && text.contains(':')
            }
            ("IsHostAndPort", ..) if opt("PortRequired") == "true" => {
                |text| rule::is_host_and_port(text.as_bytes())
            }
            _ => return None,
        },
    )
}

#[test]
fn conformance_cases_hold() {
    let mut tally = Tally::default();
    let kept = serde_json::json!([
        {"kind": "IsIpPrefix", "val": "10.0.0.0/8", "opts": {"Strict": "proto.Bool(true)"}, "valid": true},
        {"kind": "IsHostname", "val": "a.", "opts": {}, "valid": true},
    ]);
    let all = load("formats_protovalidate.json").unwrap_or(kept);
    for case in all.as_array().unwrap() {
        let kind = case["kind"].as_str().unwrap_or_default();
        let (Some(text), Some(valid)) = (case["val"].as_str(), case["valid"].as_bool()) else {
            tally.skip(format!("{kind}: no literal"), 1);
            continue;
        };
        match rule_for(kind, &case["opts"]) {
            Some(rule) => tally.case(kind, text, valid, rule(text), POLICY),
            None => tally.skip(format!("{kind} {}", case["opts"]), 1),
        }
    }
    tally.finish("protovalidate");
}
