//! What of a body counts: its bytes, what its JSON means, or chosen fields of it.

use crate::fingerprint::Fingerprint;

/// Says what of a request's body makes it the same request.
///
/// # Examples
///
/// ```
/// use seawall_idempotency::BodyForm;
///
/// # fn main() -> Result<(), seawall_idempotency::ConfigError> {
/// # #[cfg(feature = "json")]
/// # {
/// let of = |form: &BodyForm, body: &[u8]| form.fingerprint("/payments", None, None, body);
/// let (one, other) = (br#"{"a":1.0,"sent_at":8}"#, br#"{ "sent_at": 9, "a": 1 }"#);
///
/// assert_ne!(of(&BodyForm::raw(), one), of(&BodyForm::raw(), other));
/// let without = BodyForm::json_without(["/sent_at"])?;
/// assert_eq!(of(&without, one), of(&without, other));
/// let fields = BodyForm::json_fields(["/a"])?;
/// assert_eq!(of(&fields, one), of(&fields, other));
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyForm(Form);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Raw,
    #[cfg(feature = "json")]
    Without(Vec<String>),
    #[cfg(feature = "json")]
    Fields(Vec<String>),
}

impl BodyForm {
    /// Compares bytes. The default: what differs in nothing is the same in every encoding.
    #[must_use]
    pub const fn raw() -> Self {
        Self(Form::Raw)
    }

    /// Compares what JSON means: not the order of an object's keys, white space, escapes, or how a
    /// number is written.
    ///
    /// Numbers are compared as `serde_json` reads them, so those beyond the precision of an `f64`
    /// that are no 64-bit integers can be alike. Of a key that comes twice the last counts. A body
    /// that is no JSON is compared as bytes.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    #[must_use]
    pub const fn json() -> Self {
        Self(Form::Without(Vec::new()))
    }

    /// Compares as [`json`](Self::json) does, but for the values at these pointers (RFC 6901), as a
    /// time of sending.
    ///
    /// # Errors
    ///
    /// Fails when a pointer does not begin with a slash.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json_without<P: Into<String>>(
        pointers: impl IntoIterator<Item = P>,
    ) -> Result<Self, crate::ConfigError> {
        Ok(Self(Form::Without(checked(pointers)?)))
    }

    /// Compares only the values at these pointers (RFC 6901), present or not.
    ///
    /// Two requests that differ elsewhere are then the same, and the second is answered with the
    /// outcome of the first.
    ///
    /// # Errors
    ///
    /// Fails when there are none, or one does not begin with a slash.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json_fields<P: Into<String>>(
        pointers: impl IntoIterator<Item = P>,
    ) -> Result<Self, crate::ConfigError> {
        let pointers = checked(pointers)?;
        if pointers.is_empty() {
            return Err(crate::ConfigError::new(
                "json_fields",
                "at least one pointer",
            ));
        }
        Ok(Self(Form::Fields(pointers)))
    }

    /// Hashes the path and query that were requested, the content type, and what of the body counts.
    #[must_use]
    pub fn fingerprint(
        &self,
        path: &str,
        query: Option<&str>,
        content_type: Option<&[u8]>,
        body: &[u8],
    ) -> Fingerprint {
        match &self.0 {
            Form::Raw => Fingerprint::of_request(path, query, content_type, body),
            #[cfg(feature = "json")]
            form => json::fingerprint(form, path, query, content_type, body)
                .unwrap_or_else(|| Fingerprint::of_request(path, query, content_type, body)),
        }
    }
}

#[cfg(feature = "json")]
fn checked<P: Into<String>>(
    pointers: impl IntoIterator<Item = P>,
) -> Result<Vec<String>, crate::ConfigError> {
    let pointers: Vec<String> = pointers.into_iter().map(Into::into).collect();
    if pointers.iter().all(|pointer| pointer.starts_with('/')) {
        Ok(pointers)
    } else {
        Err(crate::ConfigError::new(
            "pointers",
            "a slash at the start of each",
        ))
    }
}

#[cfg(feature = "json")]
mod json {
    use serde_json::Value;

    use super::Form;
    use crate::fingerprint::Fingerprint;

    pub(super) fn fingerprint(
        form: &Form,
        path: &str,
        query: Option<&str>,
        content_type: Option<&[u8]>,
        body: &[u8],
    ) -> Option<Fingerprint> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let mut canonical = Vec::with_capacity(body.len());
        // A letter in front says which form it is, so that no two forms are ever alike.
        match form {
            Form::Raw => return None,
            Form::Without(pointers) => {
                canonical.push(b'w');
                let mut value = value;
                for pointer in pointers {
                    remove(&mut value, pointer);
                }
                write(&value, &mut canonical);
            }
            Form::Fields(pointers) => {
                canonical.push(b'f');
                for pointer in pointers {
                    match value.pointer(pointer) {
                        Some(value) => write(value, &mut canonical),
                        None => canonical.push(b'-'),
                    }
                    canonical.push(b'\n');
                }
            }
        }
        let parts = [
            Some(path.as_bytes()),
            query.map(str::as_bytes),
            content_type,
            Some(&canonical[..]),
        ];
        Some(Fingerprint::framed(b"seawall json 1", &parts))
    }

    fn remove(value: &mut Value, pointer: &str) {
        let Some((parent, last)) = pointer.rsplit_once('/') else {
            return;
        };
        match value.pointer_mut(parent) {
            Some(Value::Object(fields)) => {
                let name = last.replace("~1", "/").replace("~0", "~");
                // Not `remove`, which means another thing where the order of keys is preserved.
                fields.retain(|key, _| *key != name);
            }
            // The places of the others stay as they are.
            Some(Value::Array(items)) => {
                let item = last.parse().ok().and_then(|at: usize| items.get_mut(at));
                if let Some(item) = item {
                    *item = Value::Null;
                }
            }
            _ => {}
        }
    }

    /// Writes with sorted keys and no space. The depth is what `serde_json` reads at most, 128.
    fn write(value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Number(number) => decimal(&number.to_string(), out),
            Value::String(text) => string(text, out),
            Value::Array(items) => {
                out.push(b'[');
                for item in items {
                    write(item, out);
                    out.push(b',');
                }
                out.push(b']');
            }
            Value::Object(fields) => {
                out.push(b'{');
                // Sorted here: whether the map is, depends on a feature that others may turn on.
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_unstable_by_key(|(key, _)| *key);
                for (key, value) in fields {
                    string(key, out);
                    out.push(b':');
                    write(value, out);
                    out.push(b',');
                }
                out.push(b'}');
            }
        }
    }

    /// Its length stands in front, so nothing within needs to be escaped.
    fn string(text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(text.len().to_string().as_bytes());
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
    }

    /// Writes a number as its digits without zeros at either end, and the power of ten of the last.
    /// So 1, 1.0 and 10e-1 are one, however they have come through `serde_json`.
    pub(super) fn decimal(text: &str, out: &mut Vec<u8>) {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (sign, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        let kept = digits.trim_end_matches('0');
        if kept.is_empty() {
            out.push(b'0');
            return;
        }
        // Lengths are of a body, which is limited.
        let dropped = digits.len() - kept.len();
        let power = exponent.parse::<i64>().ok().and_then(|exponent| {
            let shift = i64::try_from(dropped).ok()? - i64::try_from(fraction.len()).ok()?;
            exponent.checked_add(shift)
        });
        let Some(power) = power else {
            // An exponent that is none of this world. The text stays as it is: its zeros mean powers
            // too, and what is written in two ways then counts as two rather than two as one.
            out.extend_from_slice(text.as_bytes());
            return;
        };
        out.extend_from_slice(sign.as_bytes());
        out.extend_from_slice(kept.as_bytes());
        out.push(b'e');
        out.extend_from_slice(power.to_string().as_bytes());
    }
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;

    fn of(form: &BodyForm, body: &str) -> Fingerprint {
        form.fingerprint("/", None, None, body.as_bytes())
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        let same = |a, b| {
            assert_eq!(
                of(&BodyForm::json(), a),
                of(&BodyForm::json(), b),
                "{a} {b}"
            );
        };
        same(
            r#"{"a":1,"b":[true,null]}"#,
            "{ \"b\": [true, null],\n\"a\": 1 }",
        );
        same(r#"{"b":{"d":1,"c":2}}"#, r#"{"b":{"c":2,"d":1}}"#);
        same("[1.0]", "[1]");
        same("[10e-1]", "[1]");
        same("[1200]", "[1.2E3]");
        same("[0.0]", "[-0]");
        same("[0.10]", "[0.1]");
        same(r#"["\u0041"]"#, r#"["A"]"#);
    }

    #[test]
    fn what_means_another_thing_is_another() {
        let differ = |a, b| {
            assert_ne!(
                of(&BodyForm::json(), a),
                of(&BodyForm::json(), b),
                "{a} {b}"
            );
        };
        differ("[1]", "[-1]");
        differ("[1]", "[10]");
        differ("[1]", r#"["1"]"#);
        differ("[12]", "[1,2]");
        differ("[[1],2]", "[[1,2]]");
        differ(r#"{"a":1}"#, r#"{"a":1,"b":null}"#);
        differ(r#"["a","b"]"#, r#"["a\",\"b"]"#);
        differ("[18446744073709551615]", "[18446744073709551614]");
        differ("{", "{ ");
    }

    /// Such numbers come through `serde_json` where somebody has turned on its feature
    /// `arbitrary_precision`. The zeros of 10e… were once dropped without their power.
    #[test]
    fn numbers_of_any_size_are_told_apart() {
        let canonical = |text: &str| {
            let mut out = Vec::new();
            json::decimal(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        let huge = "9".repeat(30);
        let texts = ["1", "10", "100", "-1", "1.5", "15", "0.1"];
        let exponents = [
            &huge,
            "9223372036854775807",
            "-9223372036854775808",
            "5",
            "0",
        ];
        let mut seen = std::collections::HashMap::new();
        for text in texts {
            for exponent in exponents {
                let number = format!("{text}e{exponent}");
                if let Some(other) = seen.insert(canonical(&number), number.clone()) {
                    panic!("{other} and {number}");
                }
            }
        }
        assert_eq!(canonical("10e4"), canonical("1e5"));
        assert_eq!(canonical("1.50e-3"), canonical("15e-4"));
        assert_eq!(canonical(&format!("0e{huge}")), canonical("0"));
        assert_eq!(canonical("1e9223372036854775807"), "1e9223372036854775807");
    }

    #[test]
    fn fields_count_or_do_not() {
        let without = BodyForm::json_without(["/at", "/items/0", "/x/y~1z"]).unwrap();
        let one = r#"{"at":1,"items":[1,2],"x":{"y/z":1,"w":1}}"#;
        let other = r#"{"items":[7,2],"x":{"w":1}}"#;
        assert_eq!(of(&without, one), of(&without, other));
        assert_ne!(
            of(&without, one),
            of(&without, r#"{"items":[7,3],"x":{"w":1}}"#)
        );
        let fields = BodyForm::json_fields(["/a", "/b"]).unwrap();
        assert_eq!(
            of(&fields, r#"{"a":1,"c":2}"#),
            of(&fields, r#"{"c":3,"a":1}"#)
        );
        assert_ne!(of(&fields, r#"{"a":1}"#), of(&fields, r#"{"b":1}"#));
        assert_ne!(
            of(&fields, r#"{"a":1}"#),
            of(&fields, r#"{"a":1,"b":null}"#)
        );
        assert_ne!(of(&fields, "[]"), of(&BodyForm::json(), "[]"));
        assert_ne!(of(&BodyForm::raw(), "[]"), of(&BodyForm::json(), "[]"));
        assert!(BodyForm::json_fields([""; 0]).is_err());
        assert!(BodyForm::json_without(["at"]).is_err());
    }
}
