//! Whatever is answered, in whatever format, to whatever body.

use http::Method;

use super::store::Mood;
use super::{Limits, PROMPT, Setup, agree, from, get, post, statuses, with};
use crate::support::Step;

const PATHS: [(&str, u16); 18] = [
    ("/fine", 200),
    ("/unread", 400),
    ("/own", 422),
    ("/own-header", 503),
    ("/foreign", 404),
    ("/method", 405),
    ("/broken", 502),
    ("/changed", 409),
    ("/passthrough", 418),
    ("/grpc", 500),
    ("/named", 200),
    ("/panic", 500),
    ("/panic-in-call", 500),
    ("/hang", 504),
    ("/fails-midway", 200),
    ("/panics-midway", 200),
    ("/told", 200),
    ("/read", 200),
];

#[tokio::test(start_paused = true)]
async fn whatever_a_handler_does() {
    for (path, status) in PATHS {
        for limits in [Limits::None, Limits::Address, Limits::Several] {
            for mood in [Mood::Prompt, Mood::Late] {
                for method in [Method::GET, Method::HEAD] {
                    let requests = || {
                        let mut request = get(path);
                        *request.method_mut() = method.clone();
                        vec![request]
                    };
                    let seen = agree(Setup { mood, limits }, requests).await;
                    assert_eq!(statuses(&seen), [status], "{path}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_format_is_accepted() {
    let accepts = [
        "application/problem+json",
        "text/html",
        "application/problem+json;q=0.1, application/json",
    ];
    for accept in accepts {
        let requests = || {
            let paths = ["/own", "/foreign", "/panic"];
            // A problem writes an id of our own making in another way.
            let fields = [("accept", accept), ("x-request-id", "checkout-7")];
            let ask = |path| with(from("10.0.0.1", path), &fields);
            paths.map(ask).into()
        };
        let seen = agree(PROMPT, requests).await;
        assert_eq!(statuses(&seen), [422, 404, 429]);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_break_their_bounds() {
    for mood in [Mood::Prompt, Mood::Late] {
        let requests = || {
            vec![
                with(get("/fine"), &[("content-length", "9")]),
                post("/read", vec![Step::Data(b"four"), Step::Data(b"and five")]),
            ]
        };
        let limits = Limits::Address;
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [413, 413]);
        let requests = || {
            vec![
                post("/read", vec![Step::Data(b"slow"), Step::Hang]),
                post("/read", vec![Step::Data(b"well"), Step::Data(b"sent")]),
                post("/read", vec![Step::Fail("a reset".into())]),
                post("/fine", vec![Step::Hang]),
            ]
        };
        let limits = Limits::None;
        let seen = agree(Setup { mood, limits }, requests).await;
        assert_eq!(statuses(&seen), [408, 200, 400, 200]);
    }
}
