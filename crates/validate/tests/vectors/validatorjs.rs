//! validator.js' cases, as far as a rule of ours asks the same.

use seawall_validate::rule;
use serde_json::Value;

use crate::{Difference, Tally, load};

const POLICY: &[Difference] = &[
    Difference {
        rule: "isEmail",
        ours: false,
        applies: |text| !text.is_ascii(),
        why: "letters beyond ASCII need email(idn)",
    },
    Difference {
        rule: "isEmail",
        ours: false,
        applies: |text| text.starts_with('"'),
        why: "quoted local parts are refused (email(rfc5321) takes them)",
    },
    Difference {
        rule: "isPort",
        ours: false,
        applies: |text| text == "0",
        why: "nothing listens on port 0",
    },
    Difference {
        rule: "isHexadecimal",
        ours: false,
        applies: |text| text.starts_with("0x") || text.starts_with("0h"),
        why: "a prefix is no hexadecimal digit",
    },
    Difference {
        rule: "isHexadecimal",
        ours: true,
        applies: str::is_empty,
        why: "emptiness is the business of chars(1..)",
    },
    Difference {
        rule: "isLocale",
        ours: false,
        applies: |text| text.contains('_'),
        why: "a language tag has hyphens (BCP 47)",
    },
    Difference {
        rule: "isUUID",
        ours: true,
        applies: |text| rule::is_uuid(text.as_bytes()),
        why: "uuid takes every version and variant; uuid(4) asks for one",
    },
    Difference {
        rule: "isLuhnNumber",
        ours: false,
        applies: |text| !(12..=19).contains(&text.len()),
        why: "luhn is for cards, of 12 to 19 digits without separators",
    },
    Difference {
        rule: "isLuhnNumber",
        ours: false,
        applies: |text| text.contains(['-', ' ']),
        why: "luhn is for cards, of 12 to 19 digits without separators",
    },
    Difference {
        rule: "isCreditCard",
        ours: false,
        applies: |text| text.contains(['-', ' ']),
        why: "luhn is for cards, of 12 to 19 digits without separators",
    },
    Difference {
        rule: "isCreditCard",
        ours: true,
        applies: |_| true,
        why: "luhn looks at the check digit and not at the issuers' ranges",
    },
    Difference {
        rule: "isRFC3339",
        ours: false,
        applies: |text| text.as_bytes().get(10) == Some(&b' '),
        why: "date and time are joined by T, as JSON Schema has it too",
    },
    Difference {
        rule: "isRFC3339",
        ours: false,
        applies: |text| text.contains(":60"),
        why: "leap seconds fall at 23:59:60 UTC",
    },
    Difference {
        rule: "isISO4217",
        ours: false,
        applies: |text| text.bytes().any(|b| b.is_ascii_lowercase()),
        why: "codes are upper case (normalize(upper) makes them so)",
    },
    Difference {
        rule: "isISO31661Alpha2",
        ours: false,
        applies: |text| text.bytes().any(|b| b.is_ascii_lowercase()),
        why: "codes are upper case (normalize(upper) makes them so)",
    },
    Difference {
        rule: "isMimeType",
        ours: false,
        applies: |text| text.contains('('),
        why: "media types have no comments (RFC 9110, 8.3.1)",
    },
    Difference {
        rule: "isMimeType",
        ours: true,
        applies: |text| text.contains(';'),
        why: "every media type may have parameters",
    },
    Difference {
        rule: "isSlug",
        ours: false,
        applies: |text| text.contains('_'),
        why: "a slug has hyphens only",
    },
    Difference {
        rule: "isIP",
        ours: false,
        applies: |text| text.contains('%'),
        why: "zones are refused",
    },
    Difference {
        rule: "isIPRange",
        ours: false,
        applies: |text| text.contains('%'),
        why: "zones are refused",
    },
    Difference {
        rule: "isLength",
        ours: false,
        applies: |text| text.contains(['\u{fe0f}', '\u{fe0e}']),
        why: "variation selectors are characters too",
    },
];

type Rule = Box<dyn Fn(&str) -> bool>;

fn rule_for(validator: &str, args: &Value) -> Option<Rule> {
    let plain = args
        .as_array()
        .is_none_or(|all| all.is_empty() || all[0] == serde_json::json!({}));
    let first = &args[0];
    let bytes = |rule: fn(&[u8]) -> bool| -> Option<Rule> {
        Some(Box::new(move |text: &str| rule(text.as_bytes())))
    };
    match validator {
        "isEmail" if plain => bytes(rule::is_email),
        "isFQDN" if plain => bytes(rule::is_fqdn),
        "isIP" if plain || first["version"].is_null() && first.is_object() => bytes(rule::is_ip),
        "isIP" => match first.as_u64().or(first["version"].as_u64()) {
            Some(4) => bytes(rule::is_ipv4),
            Some(6) => bytes(rule::is_ipv6),
            _ => None,
        },
        "isIPRange" if plain => bytes(rule::is_cidr),
        "isUUID" if plain || first.is_null() => bytes(rule::is_uuid),
        "isUUID" => match (first.as_u64(), first.as_str()) {
            (Some(version @ 1..=8), _) => Some(Box::new(move |text| {
                rule::is_uuid_version(text.as_bytes(), u8::try_from(version).unwrap())
            })),
            (_, Some("loose")) => bytes(rule::is_uuid),
            _ => None,
        },
        "isSlug" if plain => bytes(rule::is_slug),
        "isSemVer" if plain => bytes(rule::is_semver),
        "isMimeType" if plain => bytes(rule::is_mime),
        "isHexColor" if first["require_hashtag"] == true => bytes(rule::is_hex_color),
        "isULID" if plain => bytes(rule::is_ulid),
        "isLuhnNumber" | "isCreditCard" if plain => bytes(rule::is_luhn),
        "isHexadecimal" if plain => bytes(rule::is_hex),
        "isPort" if plain => bytes(rule::is_port),
        "isRFC3339" if plain => bytes(rule::is_datetime),
        "isISO31661Alpha2" if plain => bytes(rule::is_country),
        "isISO4217" if plain => bytes(rule::is_currency),
        "isLocale" if plain => bytes(rule::is_language),
        "isAscii" if plain => bytes(rule::is_ascii),
        "isAlphanumeric" if plain => bytes(rule::is_alnum),
        "isBase64" if plain => bytes(rule::is_base64),
        "isBase64" if first["urlSafe"] == true && first["padding"] == false => {
            bytes(rule::is_base64url)
        }
        "isBase64" if first["urlSafe"] == false && first["padding"] == true => {
            bytes(rule::is_base64)
        }
        "isLength" | "isByteLength" => length(validator == "isByteLength", args),
        _ => None,
    }
}

/// `[min, max]` or `[{min, max}]`.
fn length(bytes: bool, args: &Value) -> Option<Rule> {
    let number = |value: &Value| value.as_u64().map(|n| usize::try_from(n).unwrap());
    let known = |key: &String| key == "min" || key == "max";
    if args[0]
        .as_object()
        .is_some_and(|all| !all.keys().all(known))
    {
        return None;
    }
    let min = number(&args[0]).or(number(&args[0]["min"])).unwrap_or(0);
    let max = number(&args[1])
        .or(number(&args[0]["max"]))
        .unwrap_or(usize::MAX);
    Some(Box::new(move |text| {
        if bytes {
            (min..=max).contains(&text.len())
        } else {
            !rule::fewer_chars_than(text, min) && !rule::more_chars_than(text, max)
        }
    }))
}

#[test]
fn cases_hold_where_the_rule_is_the_same() {
    let mut tally = Tally::default();
    let kept = serde_json::json!([
        {"validator": "isULID", "args": null, "valid": ["01HBGW8CWR8MZQMBG6FA2QHMDD"], "invalid": [""]},
    ]);
    let all = load("formats_validatorjs.json").unwrap_or(kept);
    for group in all.as_array().unwrap() {
        let validator = group["validator"].as_str().unwrap_or_default();
        let lists = [("valid", true), ("invalid", false)];
        for (list, valid) in lists {
            let texts = group[list]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let Some(rule) = rule_for(validator, &group["args"]) else {
                tally.skip(validator, texts.len());
                continue;
            };
            for text in texts {
                match text.as_str() {
                    Some(text) => tally.case(validator, text, valid, rule(text), POLICY),
                    None => tally.skip(format!("{validator}: not a string"), 1),
                }
            }
        }
    }
    tally.finish("validator.js");
}
