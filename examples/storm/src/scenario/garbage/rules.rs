//! Whether what was accepted keeps the rules of its fields.
//!
//! Said again in the plainest way, and not with the crate that the service uses: a rule that is
//! wrong there would be wrong here as well.

use serde_json::Value;

use crate::answer::Answer;

/// Looks at the values that an accepted request gave back; other answers have none.
pub(super) fn keeps(answer: &Answer) -> Result<(), String> {
    if !(200..300).contains(&answer.status) {
        return Ok(());
    }
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&answer.body) else {
        return Ok(());
    };
    if let Some(email) = body.get("email") {
        email_keeps(text(email)?).map_err(|broken| format!("email {broken}"))?;
    }
    if let Some(name) = body.get("name") {
        name_keeps(text(name)?).map_err(|broken| format!("name {broken}"))?;
    }
    if let Some(age) = body.get("age").filter(|age| !age.is_null())
        && age.as_u64().is_none_or(|age| age > 150)
    {
        return Err(format!("age is {age}"));
    }
    if let Some(query) = body.get("query") {
        let length = text(query)?.chars().count();
        if !(1..=200).contains(&length) {
            return Err(format!("query of {length} characters"));
        }
    }
    Ok(())
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

fn email_keeps(email: &str) -> Result<(), &'static str> {
    if email.len() > 254 {
        return Err("is too long");
    }
    if !email.chars().all(|c| c.is_ascii_graphic()) {
        return Err("has white space, control or foreign characters");
    }
    if email.chars().any(|c| c.is_ascii_uppercase()) {
        return Err("is not lower-cased");
    }
    let parts: Vec<&str> = email.split('@').collect();
    let [local, domain] = parts.as_slice() else {
        return Err("has no or several @");
    };
    if local.is_empty() || local.len() > 64 {
        return Err("has a local part of no good length");
    }
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if labels.len() < 2 || !labels.iter().all(is_label) {
        return Err("has no domain");
    }
    Ok(())
}

fn name_keeps(name: &str) -> Result<(), &'static str> {
    if !(1..=100).contains(&name.chars().count()) {
        return Err("is not of 1 to 100 characters");
    }
    if name.chars().any(char::is_control) {
        return Err("has control characters");
    }
    // Also at the ends: a piece there would be empty.
    let single = |piece: &str| !piece.is_empty();
    if !name.split(char::is_whitespace).all(single) {
        return Err("has more than single spaces between words");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;

    fn kept(status: u16, body: &'static str) -> bool {
        let answer = Answer::new(status, &HeaderMap::new(), body.into(), Duration::ZERO);
        keeps(&answer).is_ok()
    }

    #[test]
    fn good_values_are_kept() {
        for body in [
            r#"{"id":4,"email":"ann@example.com","name":"Ann O'Hara","age":41}"#,
            r#"{"id":4,"email":"ann@example.com","name":"Ann","age":null}"#,
            r#"{"query":"sea","results":[]}"#,
            r#"{"received":true}"#,
        ] {
            assert!(kept(200, body), "{body}");
        }
    }

    #[test]
    fn each_rule_can_break() {
        for body in [
            r#"{"email":"Ann@example.com"}"#,
            r#"{"email":"ann@example.com\r\nbcc: b@example.com"}"#,
            r#"{"email":"ann@@example.com"}"#,
            r#"{"email":"@example.com"}"#,
            r#"{"email":"ann@example"}"#,
            r#"{"email":7}"#,
            r#"{"name":""}"#,
            r#"{"name":" Ann"}"#,
            r#"{"name":"Ann  Lee"}"#,
            r#"{"name":"A\u0007"}"#,
            r#"{"age":151}"#,
            r#"{"age":"41"}"#,
            r#"{"query":""}"#,
        ] {
            assert!(!kept(201, body), "{body}");
            assert!(kept(422, body), "a refusal accepts nothing");
        }
    }
}
