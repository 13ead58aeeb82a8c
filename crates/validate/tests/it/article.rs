//! The model of the article, with its traps.

use seawall_validate::{Kind, Limits, Validate, Violations, from_form, from_json};

#[derive(Debug, PartialEq, Validate)]
pub(crate) struct CreateUserRequest {
    #[validate(normalize(trim, lower), chars(..=254), email)]
    pub(crate) email: String,
    #[validate(normalize(single_line), chars(1..=100))]
    pub(crate) name: String,
    #[validate(range(0..=150))]
    pub(crate) age: Option<u8>,
}

fn items(violations: &Violations) -> Vec<(String, String, String)> {
    let item = |v: &seawall_validate::Violation| {
        (
            v.code().to_owned(),
            v.message().into_owned(),
            v.field().unwrap_or_default(),
        )
    };
    violations.iter().map(item).collect()
}

fn refused(body: &str) -> Vec<String> {
    let violations = from_json::<CreateUserRequest>(body.as_bytes(), &Limits::API).unwrap_err();
    assert_eq!(violations.kind(), Kind::Invalid);
    items(&violations)
        .into_iter()
        .map(|(code, _, field)| format!("{field}:{code}"))
        .collect()
}

fn accepted(body: &str) -> CreateUserRequest {
    from_json(body.as_bytes(), &Limits::API).unwrap()
}

#[test]
fn bad_email_and_no_name_give_the_articles_details() {
    let violations =
        from_json::<CreateUserRequest>(br#"{"email":"nope"}"#, &Limits::API).unwrap_err();
    let expected = [
        ("invalid_email", "Email format is invalid", "email"),
        ("required", "This field is required", "name"),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(items(&violations), expected);
}

#[test]
fn values_are_normalised() {
    let user = accepted(
        r#"{"email":"  Alice.Smith@Example.COM ","name":" Alice \u0007 \tSmith","age":30}"#,
    );
    assert_eq!(user.email, "alice.smith@example.com");
    assert_eq!(user.name, "Alice Smith");
    assert_eq!(user.age, Some(30));
}

#[test]
fn age_may_be_absent_or_null() {
    assert_eq!(accepted(r#"{"email":"a@b.co","name":"A"}"#).age, None);
    assert_eq!(
        accepted(r#"{"email":"a@b.co","name":"A","age":null}"#).age,
        None
    );
}

#[test]
fn a_name_of_control_characters_is_empty_after_cleaning() {
    assert_eq!(
        refused(r#"{"email":"a@b.co","name":"\u0000"}"#),
        ["name:string_too_short"]
    );
}

#[test]
fn padding_does_not_count_against_the_maximum() {
    let name = "x".repeat(100);
    let body = format!(r#"{{"email":"a@b.co","name":"{:10}{name}{:10}"}}"#, "", "");
    assert_eq!(accepted(&body).name, name);
    let body = format!(r#"{{"email":"a@b.co","name":"{name}x"}}"#);
    assert_eq!(refused(&body), ["name:string_too_long"]);
}

#[test]
fn a_flood_of_padding_is_not_even_looked_at() {
    let body = format!(r#"{{"email":"a@b.co","name":"{}x"}}"#, " ".repeat(401));
    assert_eq!(refused(&body), ["name:string_too_long"]);
}

#[test]
fn header_injection_in_an_email_is_refused() {
    assert_eq!(
        refused(r#"{"email":"a@b.co\r\nBcc: x@y.zz","name":"A"}"#),
        ["email:invalid_email"]
    );
}

#[test]
fn ages_are_whole_numbers_and_nothing_else() {
    for age in ["30.5", "30.0", "\"30\"", "true", "[30]", "{\"a\":30}"] {
        let body = format!(r#"{{"email":"a@b.co","name":"A","age":{age}}}"#);
        assert_eq!(refused(&body), ["age:type_integer"], "{age}");
    }
    for age in ["151", "300", "99999999999999999999999"] {
        let body = format!(r#"{{"email":"a@b.co","name":"A","age":{age}}}"#);
        assert_eq!(refused(&body), ["age:number_too_large"], "{age}");
    }
    assert_eq!(
        refused(r#"{"email":"a@b.co","name":"A","age":-1}"#),
        ["age:number_too_small"]
    );
}

#[test]
fn every_mistake_is_in_one_list_and_in_order() {
    let body = r#"{"admin":true,"age":[1,{"x":[2]}],"name":7,"name":"again","email":null}"#;
    assert_eq!(
        refused(body),
        [
            "admin:unknown_field",
            "age:type_integer",
            "name:type_string",
            "name:duplicate_field",
            "email:required",
        ]
    );
}

#[test]
fn broken_json_is_malformed_and_nothing_else() {
    for body in ["", "{", r#"{"email":5,}"#, "{} {}", "\u{feff}{}", "nul"] {
        let violations = from_json::<CreateUserRequest>(body.as_bytes(), &Limits::API).unwrap_err();
        assert_eq!(violations.kind(), Kind::Malformed, "{body}");
        assert_eq!(violations.len(), 1);
    }
}

#[test]
fn a_body_of_another_type_is_told_so() {
    for body in ["7", "[]", "null", "\"x\"", "1.5"] {
        assert_eq!(refused(body), [":type_object"], "{body}");
    }
}

#[test]
fn a_form_reads_numbers_out_of_text() {
    let user: CreateUserRequest =
        from_form(b"email=A%40b.co&name=Ann+Lee&age=30", &Limits::API).unwrap();
    assert_eq!(
        user,
        CreateUserRequest {
            email: "a@b.co".into(),
            name: "Ann Lee".into(),
            age: Some(30),
        }
    );
    let violations =
        from_form::<CreateUserRequest>(b"email=a%40b.co&name=A&name=B&age=x", &Limits::API)
            .unwrap_err();
    let codes: Vec<_> = violations.iter().map(|v| v.code()).collect();
    assert_eq!(codes, ["duplicate_field", "type_integer"]);
}

#[test]
fn serde_goes_the_same_way() {
    let user: CreateUserRequest =
        serde_json::from_str(r#"{"email":" A@b.co","name":"A"}"#).unwrap();
    assert_eq!(user.email, "a@b.co");
    let error = serde_json::from_str::<CreateUserRequest>(r#"{"email":"x","name":"A","z":1}"#);
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("email: Email format is invalid (and 1 further)"),
        "{error}"
    );
}

/// The body is looked at once, as a whole, before anything in it is read.
#[test]
fn a_body_that_is_no_utf8_is_malformed_where_it_stops_being_so() {
    let place = |body: &[u8]| {
        let refused = from_json::<CreateUserRequest>(body, &Limits::API).unwrap_err();
        assert_eq!(refused.kind(), Kind::Malformed);
        refused.iter().next().unwrap().message().into_owned()
    };
    let at = |line, column| format!("body is not valid JSON (line {line}, column {column})");
    assert_eq!(place(b"\xff"), at(1, 0));
    assert_eq!(place(b"{\n\n\"name\":\"Ren\xe9\"}"), at(3, 11));
    // Also where nobody would have read it.
    assert_eq!(place(b"{}\n\xff"), at(2, 0));
}
