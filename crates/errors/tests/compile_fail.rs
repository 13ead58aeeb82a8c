//! What must not compile, and what the compiler then says.
#![allow(missing_docs, reason = "tests")]

#[test]
fn leaks_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
