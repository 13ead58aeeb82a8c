//! A soak, short: that it holds, and that it sees what breaks.

use crate::storm;

fn soak(args: &[&str]) -> (Option<i32>, String) {
    let args: Vec<&str> = ["soak"].into_iter().chain(args.iter().copied()).collect();
    let output = storm(&args);
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), format!("{text}{stderr}"))
}

/// The seed is one that kills the server and locks the store in this time.
#[test]
fn nothing_breaks_in_a_short_soak() {
    let (code, text) = soak(&["--seconds", "10", "--seed", SEED]);
    assert_eq!(code, Some(0), "{text}");
    let last = text.lines().find(|line| line.contains("nothing broke"));
    for struck in [
        "kills",
        "of the store",
        "of dependencies",
        "of clients",
        "reloads",
    ] {
        assert!(
            last.is_some_and(|line| line.contains(struck)),
            "{struck}: {text}"
        );
    }
}

#[test]
fn a_shop_without_guards_breaks_and_the_soak_says_what_and_when() {
    let (code, text) = soak(&["--seconds", "60", "--seed", SEED, "--bare"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("broken at "), "{text}");
    assert!(text.contains("got: "), "{text}");
    assert!(text.contains(&format!("--seed {SEED}")), "{text}");
}

#[test]
fn bad_usage_of_a_soak_is_one_line_and_exit_code_2() {
    let (code, text) = soak(&["--minutes", "0"]);
    assert_eq!(code, Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

const SEED: &str = "1";
