//! The document under `/openapi.json`: well formed, whole, and true of the routes.

use std::collections::HashSet;

use serde_json::Value;
use shop::hardened::openapi_document;

use crate::process::{Shop, ask};

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(|(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &Value, document: &Value, found: &mut usize) {
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            *found += 1;
        }
        match value {
            Value::Object(members) => members.values().for_each(|v| check(v, document, found)),
            Value::Array(items) => items.iter().for_each(|v| check(v, document, found)),
            _ => {}
        }
    }
    let document = openapi_document();
    let mut found = 0;
    check(&document, &document, &mut found);
    assert!(found > 100, "{found}");
}

#[test]
fn every_operation_is_named_once_and_describes_its_path() {
    let document = openapi_document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut ids = HashSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        let in_path: HashSet<_> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let declared: HashSet<_> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(in_path, declared, "{method} {path}");
    }
    assert!(ids.len() >= 14);
}

#[test]
fn every_error_has_both_bodies_and_the_headers_of_errors() {
    let mut errors = 0;
    for (path, method, operation) in operations(&openapi_document()) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert!(
                answer["description"].is_string(),
                "{method} {path} {status}"
            );
            let headers = answer["headers"].as_object().unwrap();
            assert!(
                headers.contains_key("x-request-id"),
                "{method} {path} {status}"
            );
            let content = answer["content"].as_object().unwrap();
            if status.parse::<u16>().unwrap() < 400
                || content.contains_key("application/health+json")
            {
                continue;
            }
            errors += 1;
            let media_types: Vec<_> = content.keys().map(String::as_str).collect();
            assert_eq!(
                media_types,
                ["application/json", "application/problem+json"]
            );
            for name in ["cache-control", "x-content-type-options", "vary"] {
                assert!(
                    headers.contains_key(name),
                    "{name}: {method} {path} {status}"
                );
            }
            let waits = ["409", "429", "503"].contains(&status.as_str());
            assert_eq!(
                headers.contains_key("retry-after"),
                waits,
                "{method} {path} {status}"
            );
            let challenges = status == "401";
            assert_eq!(
                headers.contains_key("www-authenticate"),
                challenges,
                "{path} {status}"
            );
        }
    }
    assert!(errors > 60, "{errors}");
}

/// The router's own source names its routes: each is in the document.
#[test]
fn no_route_was_forgotten() {
    let source = include_str!("../../src/hardened/mod.rs");
    let document = openapi_document();
    let routes: Vec<_> = source
        .split('"')
        .filter(|text| text.starts_with("/api/"))
        .collect();
    assert!(routes.len() >= 9, "{routes:?}");
    for route in routes {
        assert!(
            document["paths"][route].is_object(),
            "{route} is not described"
        );
    }
}

#[test]
fn the_shop_serves_it_and_knows_every_route_in_it() {
    let shop = Shop::start(&[]);
    let answer = ask(&shop.api, "GET /openapi.json", "");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let served: Value = serde_json::from_str(body).unwrap();
    assert_eq!(served, openapi_document());
    for (path, method, operation) in operations(&served) {
        let path = path.replace("{user_id}", "1").replace("{project_id}", "p");
        let answer = ask(&shop.api, &format!("{} {path}", method.to_uppercase()), "");
        let status = answer.split(' ').nth(1).unwrap();
        assert!(
            operation["responses"][status].is_object(),
            "{method} {path}: {status}"
        );
        assert!(
            !matches!(status, "404" | "405" | "500"),
            "{method} {path}: {status}"
        );
    }
}
