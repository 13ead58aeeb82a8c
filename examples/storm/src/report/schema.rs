//! Whether what is written is what `docs/storm.schema.json` describes.

use serde_json::{Map, Value};

pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../../../docs/storm.schema.json")).unwrap()
}

/// The schema requires exactly the keys that are written, at this level.
pub(crate) fn described(value: &Map<String, Value>, schema: &Value) {
    let mut written: Vec<&str> = value.keys().map(String::as_str).collect();
    let mut required: Vec<&str> = schema["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap())
        .collect();
    let mut known: Vec<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    written.sort_unstable();
    required.sort_unstable();
    known.sort_unstable();
    assert_eq!(written, required);
    assert_eq!(written, known);
}
