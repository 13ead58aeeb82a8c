//! The rules as JSON Schema 2020-12, so that a document can say what the code enforces.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{Param, Validate};

/// One schema while it is being put together.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

impl Schema {
    /// `{"type": name}`
    #[must_use]
    pub fn of_type(name: &'static str) -> Self {
        Self(json!({ "type": name }))
    }

    /// A schema that everything satisfies.
    #[must_use]
    pub fn anything() -> Self {
        Self(json!({}))
    }

    /// A schema of your own.
    #[must_use]
    pub const fn from_value(value: Value) -> Self {
        Self(value)
    }

    /// Sets a keyword to a number or text.
    pub fn set(&mut self, keyword: &str, value: impl Into<Param>) {
        self.put(keyword, value.into().into());
    }

    /// Sets a keyword to true or false.
    pub fn set_flag(&mut self, keyword: &str, value: bool) {
        self.put(keyword, value.into());
    }

    /// Sets a keyword to a list of texts.
    pub fn set_list(&mut self, keyword: &str, values: &[&str]) {
        self.put(keyword, json!(values));
    }

    /// Sets a keyword to a schema.
    pub fn nest(&mut self, keyword: &str, schema: Self) {
        self.put(keyword, schema.0);
    }

    /// Sets a keyword to a list of schemas.
    pub fn nest_all(&mut self, keyword: &str, schemas: Vec<Self>) {
        self.put(
            keyword,
            schemas.into_iter().map(|schema| schema.0).collect(),
        );
    }

    /// Adds a schema that has to hold as well.
    pub fn also(&mut self, schema: Value) {
        let Value::Object(map) = &mut self.0 else {
            return;
        };
        if let Value::Array(all) = map.entry("allOf").or_insert_with(|| json!([])) {
            all.push(schema);
        }
    }

    /// Adds a field to an object's schema.
    pub fn property(&mut self, name: &str, schema: Self, required: bool) {
        let Value::Object(map) = &mut self.0 else {
            return;
        };
        if let Value::Object(properties) = map.entry("properties").or_insert_with(|| json!({})) {
            properties.insert(name.to_owned(), schema.0);
        }
        if required && let Value::Array(names) = map.entry("required").or_insert_with(|| json!([]))
        {
            names.push(name.into());
        }
    }

    /// Lets null in.
    #[must_use]
    pub fn or_null(self) -> Self {
        Self(json!({ "anyOf": [self.0, { "type": "null" }] }))
    }

    /// Takes null out again.
    #[must_use]
    pub fn not_null(self) -> Self {
        match &self.0["anyOf"] {
            Value::Array(all) if all.len() == 2 && all[1] == json!({ "type": "null" }) => {
                Self(all[0].clone())
            }
            _ => self,
        }
    }

    /// Adds a pattern that has to match as well.
    pub fn also_pattern(&mut self, pattern: &str) {
        if self.0.get("pattern").is_some() {
            self.also(json!({ "pattern": pattern }));
        } else {
            self.put("pattern", pattern.into());
        }
    }

    /// Adds a pattern that must not match.
    pub fn never_pattern(&mut self, pattern: &str) {
        self.also(json!({ "not": { "pattern": pattern } }));
    }

    /// Adds bounds that have to hold as well.
    pub fn also_between(&mut self, least: i64, most: i64) {
        self.also(json!({ "minimum": least, "maximum": most }));
    }

    /// One of several.
    #[must_use]
    pub fn one_of(schemas: Vec<Self>) -> Self {
        let mut schema = Self::anything();
        schema.nest_all("oneOf", schemas);
        schema
    }

    pub(crate) fn is_type(&self, name: &str) -> bool {
        self.0.get("type").and_then(Value::as_str) == Some(name)
    }

    fn put(&mut self, keyword: &str, value: Value) {
        if let Value::Object(map) = &mut self.0 {
            map.insert(keyword.to_owned(), value);
        }
    }

    /// The schema as JSON.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }
}

/// Collects the schemas of named types, each once, so that recursive types end.
#[derive(Debug, Default)]
pub struct Schemas {
    prefix: Option<&'static str>,
    named: BTreeMap<String, Option<Value>>,
    names: BTreeMap<(&'static str, &'static str), String>,
}

impl Schemas {
    /// Collects into `$defs`, as a JSON Schema document of its own does.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Collects under another place of the document: `"#/components/schemas/"` in OpenAPI.
    #[must_use]
    pub fn under(prefix: &'static str) -> Self {
        Self {
            prefix: Some(prefix),
            ..Self::default()
        }
    }

    /// A reference to the schema of a named type, made by `build` the first time.
    ///
    /// `place` says where the type is defined and tells types of one name apart; `name` is what
    /// it is called; two types of one name get two.
    pub fn named<T>(
        &mut self,
        place: &'static str,
        name: &str,
        build: impl FnOnce(&mut Self) -> Schema,
    ) -> Schema {
        let key = (place, std::any::type_name::<T>());
        let known = self.names.get(&key).cloned();
        let name = known.unwrap_or_else(|| {
            let mut free = name.to_owned();
            let mut next = 2;
            while self.named.contains_key(&free) {
                free = format!("{name}{next}");
                next += 1;
            }
            self.names.insert(key, free.clone());
            // The name is taken before the schema is built: that is where a recursive type stops.
            self.named.insert(free.clone(), None);
            let schema = build(self).into_value();
            self.named.insert(free.clone(), Some(schema));
            free
        });
        let prefix = self.prefix.unwrap_or("#/$defs/");
        Schema(json!({ "$ref": format!("{prefix}{name}") }))
    }

    /// The schemas of the named types.
    #[must_use]
    pub fn into_named(self) -> Map<String, Value> {
        self.named
            .into_iter()
            .filter_map(|(name, schema)| Some((name, schema?)))
            .collect()
    }
}

/// The rules of a type as a whole JSON Schema 2020-12 document.
///
/// # Examples
///
/// ```
/// use seawall_validate::schema_of;
///
/// assert_eq!(schema_of::<u8>()["maximum"], 255);
/// ```
#[must_use]
pub fn schema_of<'de, T: Validate<'de>>() -> Value {
    let mut schemas = Schemas::new();
    let mut root = T::schema(&mut schemas);
    root.set("$schema", "https://json-schema.org/draft/2020-12/schema");
    let named = schemas.into_named();
    if !named.is_empty() {
        root.put("$defs", Value::Object(named));
    }
    root.into_value()
}
