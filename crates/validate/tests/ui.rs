//! Wrong uses do not compile, and the compiler says what to write.
#![allow(missing_docs, reason = "tests")]

#[test]
fn wrong_uses_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
