//! Addresses, judged by the policy that the documentation of `email` states.

use seawall_validate::rule;

use crate::{Difference, Tally, load};

fn has_quotes(text: &str) -> bool {
    text.starts_with('"') || text.contains(".\"") || text.contains("\".")
}

/// Whether the last label of the domain could be no top level domain.
fn odd_top_level(text: &str) -> bool {
    let last = domain(text).rsplit('.').next().unwrap_or_default();
    !last.starts_with("xn--") && (last.len() < 2 || !last.bytes().all(|b| b.is_ascii_alphabetic()))
}

fn domain(text: &str) -> &str {
    text.rsplit('@').next().unwrap_or_default()
}

const POLICY: &[Difference] = &[
    Difference {
        rule: "email",
        ours: false,
        applies: |text| !text.is_ascii(),
        why: "letters beyond ASCII need email(idn)",
    },
    Difference {
        rule: "email",
        ours: false,
        applies: has_quotes,
        why: "quoted local parts are refused (email(rfc5321) takes them)",
    },
    Difference {
        rule: "email",
        ours: false,
        applies: |text| domain(text).starts_with('['),
        why: "address literals are refused (email(rfc5321) takes them)",
    },
    Difference {
        rule: "email",
        ours: false,
        applies: |text| !domain(text).contains('.'),
        why: "dotless domains are refused (email(rfc5321) takes them)",
    },
    Difference {
        rule: "email",
        ours: false,
        applies: odd_top_level,
        why: "the last label could be no top level domain",
    },
    Difference {
        rule: "email(idn)",
        ours: false,
        applies: |text| odd_top_level(text) && domain(text).is_ascii(),
        why: "the last label could be no top level domain",
    },
    Difference {
        rule: "email(idn)",
        ours: false,
        applies: |text| domain(text).contains("xn--"),
        why: "email(idn) decodes punycode, and some decodes to nothing",
    },
    Difference {
        rule: "email",
        ours: false,
        applies: |text| text.ends_with('>'),
        why: "a display name is part of a header and not of an address",
    },
    Difference {
        rule: "email(rfc5321)",
        ours: false,
        applies: |text| text.ends_with('>'),
        why: "a display name is part of a header and not of an address",
    },
    Difference {
        rule: "email(idn)",
        ours: false,
        applies: |text| text.ends_with('>'),
        why: "a display name is part of a header and not of an address",
    },
    Difference {
        rule: "email(rfc5321)",
        ours: true,
        applies: |text| !domain(text).contains('.'),
        why: "RFC 5321 has dotless domains",
    },
    Difference {
        rule: "email",
        ours: true,
        applies: |text| rule::is_special_use_domain(domain(text)),
        why: "special-use domains are well-formed (email(deny_special) refuses them)",
    },
    Difference {
        rule: "email(rfc5321)",
        ours: false,
        applies: |text| !text.is_ascii(),
        why: "letters beyond ASCII need email(idn)",
    },
    Difference {
        rule: "email(rfc5321)",
        ours: false,
        applies: |text| text.contains("\".") || text.contains(".\"") || text.contains("\"\""),
        why: "RFC 5321 quotes the whole local part or nothing",
    },
    Difference {
        rule: "email(idn)",
        ours: false,
        applies: |text| {
            has_quotes(text) || domain(text).starts_with('[') || !domain(text).contains('.')
        },
        why: "email(idn) refuses the forms that email refuses",
    },
];

/// The data writes control characters as their pictures, U+2400 and so on.
fn decode(text: &str) -> String {
    text.chars()
        .map(|c| match u32::from(c) {
            code @ 0x2400..=0x241f => char::from_u32(code - 0x2400).unwrap(),
            _ => c,
        })
        .collect()
}

#[test]
fn addresses_are_judged_by_the_stated_policy() {
    let mut tally = Tally::default();
    let kept = serde_json::json!([
        {"source": "kept", "address": "a@iana.org", "category": "valid"},
        {"source": "kept", "address": "\"a\"@iana.org", "category": "valid"},
        {"source": "kept", "address": "a@b@iana.org", "category": "ISEMAIL_ERR"},
        {"source": "kept", "address": "a@iana.org␊", "category": "ISEMAIL_ERR"},
        {"source": "kept", "address": "a@[127.0.0.1]", "category": "ISEMAIL_RFC5321"},
    ]);
    let all = load("emails.json").unwrap_or(kept);
    for case in all.as_array().unwrap() {
        let field = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
        let (source, category) = (field("source"), field("category"));
        let address = decode(&field("address"));
        let default = rule::is_email(address.as_bytes());
        let wide = rule::is_email_rfc5321(address.as_bytes());
        match category.as_str() {
            "ISEMAIL_ERR" | "invalid" => {
                tally.case("email", &address, false, default, POLICY);
                // Special-use domains aside, which are no question of grammar.
                if !source.contains("reserved_domain") {
                    tally.case("email(rfc5321)", &address, false, wide, POLICY);
                }
                // `structure` promises nothing but its expression.
            }
            "valid" | "ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN" => {
                tally.case("email", &address, true, default, POLICY);
                tally.case("email(rfc5321)", &address, true, wide, POLICY);
                #[cfg(feature = "idna")]
                tally.case(
                    "email(idn)",
                    &address,
                    true,
                    rule::is_email_idn(&address),
                    POLICY,
                );
            }
            "ISEMAIL_RFC5321" => {
                tally.case("email(rfc5321)", &address, true, wide, POLICY);
                tally.case("email", &address, false, default, POLICY);
            }
            "ISEMAIL_CFWS" | "ISEMAIL_DEPREC" | "ISEMAIL_RFC5322" => {
                tally.case("email", &address, false, default, POLICY);
            }
            other => tally.skip(format!("category {other}"), 1),
        }
    }
    tally.finish("emails");
}
