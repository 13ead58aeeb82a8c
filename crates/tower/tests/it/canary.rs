//! Secrets planted where failures start: in no answer, in whatever format it was asked for, and in
//! the log once each.

use std::any::Any;
use std::convert::Infallible;
use std::panic::resume_unwind;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Either};
use seawall_errors::testkit::{Answer, Canaries};
use seawall_errors::{ApiError, Detail, Format, FormatPolicy, PublicText, Renderer, codes};
use seawall_tower::{DeadlineLayer, ErrorsLayer, ReplyBody, RequestIdLayer, TraceLayer, respond};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Log, Script, Step};

/// Ours, or a foreign one.
type Body = Either<ReplyBody<Script>, Script>;
type Answered = Result<Response<Body>, Infallible>;

const ACCEPTS: [Option<&str>; 14] = [
    None,
    Some(""),
    Some("*/*"),
    Some("application/json"),
    Some("application/problem+json"),
    Some("application/problem+json;q=0.5, application/json"),
    Some("application/json;q=0.5, application/problem+json"),
    Some("application/problem+xml"),
    Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    Some("text/plain;q=0.1"),
    Some("application/*;q=0.2"),
    Some("application/json;q=0, application/problem+json;q=0"),
    Some("application/problem+json;q=9"),
    Some("\"unclosed"),
];

const POLICIES: [FormatPolicy; 4] = [
    FormatPolicy::Always(Format::Simple),
    FormatPolicy::Always(Format::Problem),
    FormatPolicy::Negotiate {
        default: Format::Simple,
    },
    FormatPolicy::Negotiate {
        default: Format::Problem,
    },
];

/// What was planted for one request: all of it has to be hidden, and one part has to be logged.
#[derive(Default)]
struct Planted {
    /// Told to operators, once.
    logged: Canaries,
    /// Told to nobody: the masked public half, and text that nobody needs.
    dropped: Canaries,
}

/// How a service fails.
#[derive(Clone, Copy, Debug)]
enum Fault {
    CausesAndNotes,
    CausesOfA4xx,
    MaskedPublicHalf,
    PublicCode,
    RefusedHeader,
    ChangedStatus,
    ForeignText,
    ForeignClientError,
    UpstreamAnswer,
    PanicInCall,
    PanicInPoll,
    PanicWithoutText,
    PanicInErrorBody,
    BodyFails,
    BodyPanics,
}

const FAULTS: [Fault; 15] = [
    Fault::CausesAndNotes,
    Fault::CausesOfA4xx,
    Fault::MaskedPublicHalf,
    Fault::PublicCode,
    Fault::RefusedHeader,
    Fault::ChangedStatus,
    Fault::ForeignText,
    Fault::ForeignClientError,
    Fault::UpstreamAnswer,
    Fault::PanicInCall,
    Fault::PanicInPoll,
    Fault::PanicWithoutText,
    Fault::PanicInErrorBody,
    Fault::BodyFails,
    Fault::BodyPanics,
];

/// A failure that waits to happen: in the call itself, or in its future.
enum Failure {
    PanicInCall(String),
    PanicInPoll(Box<dyn Any + Send>),
    Answer(Box<Response<Body>>),
}

impl Fault {
    fn plant(self, planted: &mut Planted) -> Failure {
        let Planted { logged, dropped } = planted;
        let answer = |error: ApiError| Failure::Answer(Box::new(respond(error).map(Either::Left)));
        match self {
            Self::CausesAndNotes => {
                let chain = logged.chain("cause", 4);
                let note = logged.plant("note", |word| format!("at postgres://u:{word}@db"));
                answer(
                    ApiError::new(codes::INTERNAL_ERROR)
                        .source(chain)
                        .note(note),
                )
            }
            Self::CausesOfA4xx => {
                let chain = logged.chain("cause", 2);
                answer(ApiError::new(codes::NOT_FOUND).source(chain))
            }
            Self::MaskedPublicHalf => {
                let mut text = || PublicText::vetted(dropped.plant("text", str::to_owned));
                let error = ApiError::new(codes::INTERNAL_ERROR)
                    .message(text())
                    .detail(Detail::new("code", text()).field(text().as_str()))
                    .meta("member", text().as_str());
                answer(error)
            }
            Self::PublicCode => {
                let text = PublicText::vetted(dropped.plant("detail", str::to_owned));
                let error = ApiError::new(codes::CIRCUIT_OPEN)
                    .detail(Detail::new("code", text))
                    .retry_after(Duration::from_secs(3))
                    .source(logged.chain("cause", 1));
                answer(error)
            }
            Self::RefusedHeader => {
                let value = dropped.plant("header", |word| format!("{word}\r\nset-cookie: a=b"));
                answer(ApiError::new(codes::CONFLICT).header("x-mine", value))
            }
            Self::ChangedStatus => {
                let error = ApiError::new(codes::CONFLICT).source(logged.chain("cause", 1));
                let mut response = respond(error).map(Either::Left);
                *response.status_mut() = http::StatusCode::BAD_GATEWAY;
                Failure::Answer(Box::new(response))
            }
            Self::ForeignText => {
                let text = logged.plant("text", |word| format!("relation {word} does not exist"));
                foreign(
                    500,
                    &[("content-type", "text/plain")],
                    vec![Step::Text(text)],
                )
            }
            Self::ForeignClientError => {
                let text = dropped.plant("text", |word| format!("missing field of {word}"));
                let tag = dropped.plant("etag", |word| format!("\"{word}\""));
                foreign(422, &[("etag", &tag)], vec![Step::Text(text)])
            }
            Self::UpstreamAnswer => {
                let (header, server) = (
                    logged.plant("header", str::to_owned),
                    logged.plant("name of a header", |word| format!("x-{word}")),
                );
                let tag = dropped.plant("etag", |word| format!("\"{word}\""));
                let headers = [("x-debug", header.as_str()), (&server, "1"), ("etag", &tag)];
                let mut half = || Step::Text(logged.plant("body", |word| format!("<b>{word}</b>")));
                let body = vec![half(), half(), Step::Hang];
                foreign(503, &headers, body)
            }
            Self::PanicInCall => Failure::PanicInCall(logged.plant("panic", str::to_owned)),
            Self::PanicInPoll => {
                Failure::PanicInPoll(Box::new(logged.plant("panic", str::to_owned)))
            }
            Self::PanicWithoutText => Failure::PanicInPoll(Box::new(dropped.chain("panic", 2))),
            Self::PanicInErrorBody => {
                let text = logged.plant("panic", str::to_owned);
                foreign(500, &[], vec![Step::Panic(text)])
            }
            Self::BodyFails => {
                let text = logged.plant("body error", str::to_owned);
                foreign(200, &[], vec![Step::Data(b"half"), Step::Fail(text)])
            }
            Self::BodyPanics => {
                let text = logged.plant("body panic", str::to_owned);
                foreign(200, &[], vec![Step::Data(b"half"), Step::Panic(text)])
            }
        }
    }
}

fn foreign(status: u16, headers: &[(&str, &str)], body: Vec<Step>) -> Failure {
    let mut response = Response::new(Either::Right(Script(body)));
    *response.headers_mut() = headers
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect();
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    Failure::Answer(Box::new(response))
}

async fn fail(failure: Failure) -> Answered {
    match failure {
        Failure::PanicInPoll(payload) => resume_unwind(payload),
        Failure::Answer(response) => Ok(*response),
        Failure::PanicInCall(_) => unreachable!("panicked in the call"),
    }
}

/// What a caller received, up to the end or the abort of the body.
struct Received {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The error that the server gets to see when it aborts; it may print it.
    aborted: Option<String>,
}

async fn ask(policy: FormatPolicy, request: Request<()>, failure: Failure) -> Received {
    let mut failure = Some(failure);
    let inner = service_fn(move |_: Request<()>| {
        let failure = failure.take().unwrap();
        if let Failure::PanicInCall(text) = failure {
            panic!("{text}");
        }
        fail(failure)
    });
    let layers = (
        RequestIdLayer::new(),
        TraceLayer::new(),
        ErrorsLayer::with_renderer(Renderer::new().policy(policy)),
        DeadlineLayer::new(Duration::from_secs(5)),
    );
    let Ok(response) = layers.layer(inner).oneshot(request).await;
    let (parts, body) = response.into_parts();
    let mut received = Received {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: Vec::new(),
        aborted: None,
    };
    let mut body = Box::pin(body);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => received.body.extend_from_slice(frame.data_ref().unwrap()),
            Err(error) => {
                received.aborted = Some(error.to_string());
                break;
            }
        }
    }
    received
}

fn check(received: &Received, planted: &Planted, log: &str) {
    let mut answer = Answer::new().body(&received.body);
    for (name, value) in &received.headers {
        answer = answer.header(name.as_str(), value.as_bytes());
    }
    if let Some(error) = &received.aborted {
        answer = answer.body(error);
    }
    for canaries in [&planted.logged, &planted.dropped] {
        if !canaries.is_empty() {
            canaries.assert_hidden(&answer);
        }
    }
    planted.logged.assert_logged_once(log);
}

#[tokio::test]
async fn no_fault_shows_in_any_format_and_each_is_logged_once() {
    let mut asked = 0;
    let mut canaries = 0;
    for fault in FAULTS {
        for policy in POLICIES {
            for method in [Method::GET, Method::HEAD] {
                for accept in ACCEPTS {
                    let mut planted = Planted::default();
                    let failure = fault.plant(&mut planted);
                    let mut request = Request::builder().method(&method).uri("/");
                    if let Some(accept) = accept {
                        request = request.header("accept", accept);
                    }
                    let log = Log::default();
                    let guard = log.start();
                    let received = ask(policy, request.body(()).unwrap(), failure).await;
                    drop(guard);

                    check(&received, &planted, &log.text());
                    let aborts = matches!(fault, Fault::BodyFails | Fault::BodyPanics);
                    assert_eq!(received.aborted.is_some(), aborts, "{fault:?}");
                    assert_eq!(received.status >= 400, !aborts, "{fault:?}");
                    let is_empty = received.body.is_empty();
                    assert_eq!(is_empty, method == Method::HEAD && !aborts, "{fault:?}");
                    asked += 1;
                    canaries += planted.logged.len() + planted.dropped.len();
                }
            }
        }
    }
    assert_eq!(asked, FAULTS.len() * POLICIES.len() * 2 * ACCEPTS.len());
    assert!(canaries >= 2 * asked - asked / 2, "{canaries} in {asked}");
}

/// The kit looks in the right place: what a service does without the layers is found.
#[tokio::test]
async fn without_the_errors_layer_the_search_finds_what_leaks() {
    let mut planted = Planted::default();
    let failure = Fault::ForeignText.plant(&mut planted);
    let Ok(response) = fail(failure).await;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let leaks = planted.logged.search(&Answer::new().body(&body));
    assert_eq!(leaks.len(), 1);
    assert_eq!(planted.logged.miscounted("").len(), 1);
}
