//! Bodies within every limit on bytes that hold far too many things.

use super::case::{Expect, Kind};
use super::plan::Plan;
use super::write::Draft;

pub(super) fn bombs(plan: &mut Plan) {
    const REFUSED: Expect = Expect::Status(&[413, 422]);
    let list = |item: &str, count: usize| {
        let mut text = format!("{item},").repeat(count);
        text.pop();
        format!("[{text}]")
    };
    let keys: String = (0..60_000)
        .map(|number| format!("\"k{number}\":0,"))
        .collect();
    let user = |field: &str| format!("{{\"email\":\"ann@example.com\",\"name\":\"Ann\",{field}}}");
    let rest = &keys[..keys.len() - 1];
    for (note, body) in [
        ("60,000 keys", format!("{{{rest}}}")),
        ("60,000 keys beside good ones", user(rest)),
        ("100,000 items", list("0", 100_000)),
        ("300,000 lists", list("[]", 300_000)),
        ("100,000 objects", list("{}", 100_000)),
        ("100,000 texts", list("\"a\"", 100_000)),
        ("100,000 items as a name", {
            format!(
                "{{\"email\":\"ann@example.com\",\"name\":{}}}",
                list("0", 100_000)
            )
        }),
        (
            "a key of 500 KB",
            user(&format!("\"{}\":0", "k".repeat(500_000))),
        ),
        (
            "an unknown text of 500 KB",
            user(&format!("\"x\":\"{}\"", "x".repeat(500_000))),
        ),
        (
            "escapes of 500 KB",
            user(&format!("\"x\":\"{}\"", "\\u0041".repeat(83_000))),
        ),
        ("50,000 times one key", {
            let again = "\"age\":1,".repeat(50_000);
            user(&again[..again.len() - 1])
        }),
        (
            "a number of 500,000 digits",
            user(&format!("\"age\":{}", "9".repeat(500_000))),
        ),
        (
            "an exponent of 100,000 digits",
            user(&format!("\"age\":1e{}", "9".repeat(100_000))),
        ),
        ("lists in lists, five deep", {
            let mut nested = "0".to_owned();
            for _ in 0..5 {
                nested = list(&nested, 10);
            }
            user(&format!("\"x\":{nested}"))
        }),
    ] {
        // A number out of all range may count as no JSON.
        let expect = if note.contains("digits") {
            Expect::Status(&[400, 413, 422])
        } else {
            REFUSED
        };
        plan.users(Kind::Wide, note, body, expect);
    }
    // White space is JSON, and is no reason to refuse.
    let spaces = " ".repeat(400_000);
    let spaced = format!("{{{spaces}\"email\":\"ann@example.com\",\"name\":\"Ann\"{spaces}}}");
    plan.users(
        Kind::Wide,
        "800 KB of white space",
        spaced,
        Expect::Harmless,
    );
    let names: String = (0..2_000).map(|number| format!("p{number}=&")).collect();
    let query = Draft::new("GET", &format!("/api/search?{names}q=sea")).body("");
    plan.add(Kind::Wide, "2,000 names in a query", query, Expect::Refused);
}
