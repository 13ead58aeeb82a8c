//! The formats of JSON Schema.

use seawall_validate::rule;

use crate::{Difference, Tally, folder};

const POLICY: &[Difference] = &[
    Difference {
        rule: "email",
        ours: false,
        applies: |text| {
            let domain = text.rsplit('@').next().unwrap_or_default();
            text.contains('"') || domain.starts_with('[') || !domain.contains('.')
        },
        why: "email refuses quoted local parts, address literals and dotless domains",
    },
    Difference {
        rule: "idn-email",
        ours: false,
        applies: |text| text.contains('"'),
        why: "email(idn) refuses quoted local parts",
    },
    Difference {
        rule: "hostname",
        ours: true,
        applies: |text| text.contains("xn--"),
        why: "hostname does not decode punycode; hostname(idn) does",
    },
];

fn rule_for(format: &str) -> Option<fn(&str) -> bool> {
    Some(match format {
        "email" => |text| rule::is_email(text.as_bytes()),
        #[cfg(feature = "idna")]
        "idn-email" => rule::is_email_idn,
        "hostname" => |text| rule::is_hostname(text.as_bytes()),
        #[cfg(feature = "idna")]
        "idn-hostname" => rule::is_hostname_idn,
        "ipv4" => |text| rule::is_ipv4(text.as_bytes()),
        "ipv6" => |text| rule::is_ipv6(text.as_bytes()),
        "uri" => |text| rule::is_uri(text.as_bytes()),
        "uri-reference" => |text| rule::is_uri_reference(text.as_bytes()),
        "uuid" => |text| rule::is_uuid(text.as_bytes()),
        "date" => |text| rule::is_date(text.as_bytes()),
        "time" => |text| rule::is_time(text.as_bytes()),
        "date-time" => |text| rule::is_datetime(text.as_bytes()),
        "duration" => |text| rule::is_duration(text.as_bytes()),
        "json-pointer" => |text| rule::is_json_pointer(text.as_bytes()),
        _ => return None,
    })
}

#[test]
fn formats_mean_what_json_schema_says() {
    let mut tally = Tally::default();
    let folder = folder().map(|folder| folder.join("json_schema_format"));
    let files: Vec<serde_json::Value> = match folder {
        Some(folder) if folder.is_dir() => {
            let mut paths: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            paths.sort();
            paths
                .iter()
                .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
                .collect()
        }
        _ => vec![serde_json::json!([{"schema": {"format": "date"}, "tests": [
            {"data": "2020-02-29", "valid": true}, {"data": "2021-02-29", "valid": false},
        ]}])],
    };
    for group in files.iter().flat_map(|file| file.as_array().unwrap()) {
        let format = group["schema"]["format"].as_str().unwrap_or_default();
        let tests = group["tests"].as_array().unwrap();
        let Some(rule) = rule_for(format) else {
            tally.skip(format!("format {format}"), tests.len());
            continue;
        };
        for test in tests {
            // Formats are about strings; what else there is belongs to the type.
            if let Some(text) = test["data"].as_str() {
                tally.case(
                    format,
                    text,
                    test["valid"].as_bool().unwrap(),
                    rule(text),
                    POLICY,
                );
            }
        }
    }
    tally.finish("json schema formats");
}
