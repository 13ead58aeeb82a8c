//! What a configured service does, and what it does once it is configured anew, on any framework.
//!
//! The service behind has these routes: `GET /` is 200; `GET /hang` never answers; `POST /echo` answers
//! with the body; `GET /traced` says `yes` where the request has a place in a trace. Everybody is
//! authenticated as `alice`.

use std::time::Duration;

use seawall_ratelimit::MemoryStore;
use seawall_web::config::{Reload, SeawallConfig};

/// One service, and what is done with it in turn.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) config: &'static str,
    steps: &'static [Step],
}

enum Step {
    /// A request, and the status of its answer.
    Ask(Ask, u16),
    /// A request, and what its answer says in a header, or at the start of its body.
    Says(Ask, &'static str, &'static str),
    /// A request whose answer lacks a header.
    Lacks(Ask, &'static str),
    /// A request that is answered with 504 after this many seconds.
    TimesOut(Ask, u64),
    /// Another configuration is put in force.
    Reload(&'static str),
    /// Another configuration is refused for this key, and what was in force stays so.
    Refused(&'static str, &'static str),
}

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) path: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) header: Option<(&'static str, &'static str)>,
    /// Posts it, if there is one.
    pub(crate) body: Option<&'static str>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

const fn get(path: &'static str) -> Ask {
    Ask {
        path,
        peer: "192.0.2.1",
        header: None,
        body: None,
    }
}

const fn post(body: &'static str) -> Ask {
    Ask {
        body: Some(body),
        ..get("/echo")
    }
}

impl Ask {
    const fn from(self, peer: &'static str) -> Self {
        Self { peer, ..self }
    }

    const fn with(self, name: &'static str, value: &'static str) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }
}

pub(crate) fn read(text: &str) -> SeawallConfig {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Goes through a case. The clock of the runtime is paused.
#[expect(
    clippy::disallowed_methods,
    reason = "the paused clock is what is measured"
)]
pub(crate) async fn run(
    case: &Case,
    reload: &Reload<MemoryStore>,
    ask: impl AsyncFn(Ask) -> Answer,
) {
    for (number, step) in case.steps.iter().enumerate() {
        let at = format!("{}, step {number}", case.name);
        match *step {
            Step::Ask(request, status) => assert_eq!(ask(request).await.status, status, "{at}"),
            Step::Says(request, "", start) => {
                let body = ask(request).await.body;
                assert!(body.starts_with(start), "{at}: {body}");
            }
            Step::Says(request, name, value) => {
                let answer = ask(request).await;
                assert_eq!(answer.header(name), Some(value), "{at}");
            }
            Step::Lacks(request, name) => assert_eq!(ask(request).await.header(name), None, "{at}"),
            Step::TimesOut(request, seconds) => {
                let start = tokio::time::Instant::now();
                assert_eq!(ask(request).await.status, 504, "{at}");
                assert_eq!(start.elapsed(), Duration::from_secs(seconds), "{at}");
            }
            Step::Reload(text) => {
                let next = read(text);
                reload
                    .apply(&next)
                    .unwrap_or_else(|error| panic!("{at}: {error}"));
                assert_eq!(reload.current(), next, "{at}");
            }
            Step::Refused(text, key) => {
                let before = reload.current();
                assert_eq!(reload.apply(&read(text)).unwrap_err().key(), key, "{at}");
                assert_eq!(reload.current(), before, "{at}");
            }
        }
    }
}

const ROOT: Ask = get("/");
const HANG: Ask = get("/hang");

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "an empty file is the default",
        config: "",
        steps: &[
            Step::Ask(ROOT, 200),
            Step::Lacks(ROOT, "x-ratelimit-limit"),
            Step::TimesOut(HANG, 30),
            Step::Says(get("/traced"), "", "yes"),
        ],
    },
    Case {
        name: "deadline and body limit change together",
        config: "deadline = '5s'\nbody.limit = 4",
        steps: &[
            Step::Ask(post("five!"), 413),
            Step::TimesOut(HANG, 5),
            Step::Reload("deadline = '1s'\nbody.limit = 5"),
            Step::Says(post("five!"), "", "five!"),
            Step::TimesOut(HANG, 1),
        ],
    },
    Case {
        name: "budgets of trusted proxies",
        config: "budgets = true\nproxies.trusted = ['10.0.0.0/8']",
        steps: &[
            Step::TimesOut(
                HANG.from("10.0.0.1").with("x-request-timeout-ms", "2000"),
                2,
            ),
            Step::TimesOut(HANG.with("x-request-timeout-ms", "2000"), 30),
            Step::Reload("deadline = '1s'\nbudgets = true\nproxies.trusted = ['10.0.0.0/8']"),
            Step::TimesOut(
                HANG.from("10.0.0.1").with("x-request-timeout-ms", "2000"),
                1,
            ),
        ],
    },
    Case {
        name: "clients behind proxies",
        config: "proxies = {trusted = ['10.0.0.0/8'], header = 'forwarded'}\n\
                 limits.a = {quota = '1/hour', key = ['address']}",
        steps: &[
            Step::Ask(
                ROOT.from("10.0.0.1").with("forwarded", "for=192.0.2.7"),
                200,
            ),
            Step::Ask(
                ROOT.from("10.0.0.2").with("forwarded", "for=192.0.2.7"),
                429,
            ),
            Step::Ask(
                ROOT.from("10.0.0.2").with("forwarded", "for=192.0.2.8"),
                200,
            ),
        ],
    },
    Case {
        name: "ids of trusted peers",
        config: "request_ids.trusted = ['10.0.0.1']",
        steps: &[Step::Says(
            ROOT.from("10.0.0.1").with("x-request-id", "gateway-1"),
            "x-request-id",
            "gateway-1",
        )],
    },
    Case {
        name: "no traces",
        config: "traces.enabled = false",
        steps: &[Step::Says(get("/traced"), "", "no"), Step::Ask(ROOT, 200)],
    },
    Case {
        name: "one dialect",
        config: "headers = ['ietf']\nlimits.a = {quota = '9/hour', key = ['everyone']}",
        steps: &[
            Step::Lacks(ROOT, "x-ratelimit-limit"),
            Step::Says(ROOT, "ratelimit-policy", "\"a\";q=9;w=3600"),
        ],
    },
    Case {
        name: "problems, with types",
        config: "errors = {format = 'problem', type_base = 'https://errors.example/'}",
        steps: &[
            Step::Says(get("/none"), "content-type", "application/problem+json"),
            Step::Says(
                get("/none"),
                "",
                "{\"type\":\"https://errors.example/not_found\"",
            ),
        ],
    },
    Case {
        name: "the limit by principal binds, though the one of all has something left",
        config: "limits.api = {quota = '3/hour', key = ['everyone']}\n\
                 limits.user = {quota = '2/hour', key = ['principal']}",
        steps: &[
            Step::Ask(ROOT, 200),
            Step::Ask(ROOT, 200),
            Step::Says(ROOT, "x-ratelimit-limit", "2"),
        ],
    },
    Case {
        name: "new quotas hold at once, and what was counted stays",
        config: "limits.api = {quota = '9/hour', key = ['everyone']}\n\
                 limits.user = {quota = '2/hour', key = ['principal']}",
        steps: &[
            Step::Ask(ROOT, 200),
            // Half of the old one is spent, and so is half of the new one.
            Step::Reload(
                "limits.api = {quota = '9/hour', key = ['everyone']}\n\
                 limits.user = {quota = '4/hour', key = ['principal']}",
            ),
            Step::Ask(ROOT, 200),
            Step::Ask(ROOT, 200),
            Step::Ask(ROOT, 429),
            // Four of nine an hour are spent, where one is allowed.
            Step::Reload(
                "limits.api = {quota = '1/hour', key = ['everyone']}\n\
                 limits.user = {quota = '9/hour', key = ['principal']}",
            ),
            Step::Ask(ROOT, 429),
            Step::Reload(
                "limits.api = {mode = 'off', quota = '1/hour', key = ['everyone']}\n\
                 limits.user = {mode = 'shadow', quota = '1/hour', key = ['principal']}",
            ),
            Step::Ask(ROOT, 200),
        ],
    },
    Case {
        name: "what is refused changes nothing",
        config: "limits.user = {quota = '1/hour', key = ['principal']}",
        steps: &[
            Step::Refused(
                "headers = ['ietf']\nlimits.user = {quota = '5/hour', key = ['principal']}",
                "headers",
            ),
            Step::Refused(
                "deadline = '1s'\nlimits.user = {quota = '5/hour', key = ['address']}",
                "limits.user.key",
            ),
            Step::Refused("namespace = 'other'", "namespace"),
            Step::Refused("", "limits.user"),
            Step::TimesOut(HANG, 30),
            Step::Ask(ROOT, 429),
        ],
    },
];
