//! The table: every route with every refusal that it can give, and what every route shares.

use seawall_signing::scheme::{self, Scheme};
use seawall_signing::{OwnedHead, Secret, Signer};

use crate::case::{Case, Request};

pub(crate) fn all() -> Vec<Case> {
    [
        // First, before anything is broken that they would tell of.
        probes(),
        users(),
        search(),
        limited(),
        emails(),
        builds(),
        payments(),
        webhooks(),
        dashboard(),
        bodies(),
        methods(),
        identities(),
        connections(),
        breaker(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn get(target: &str) -> Request {
    Request::new("GET", target)
}

fn post(target: &str) -> Request {
    Request::new("POST", target)
}

/// One request on a connection, and its status.
fn one(name: &str, status: u16, request: Request) -> Case {
    Case::new(name, &[status]).then(&request.last())
}

const USER: &str = r#"{"email": " Ada@Example.com", "name": "Ada\t Lovelace", "age": 36}"#;

fn users() -> Vec<Case> {
    let create = |name: &str, status, body: &str| {
        one(
            &format!("users: {name}"),
            status,
            post("/api/users").json(body),
        )
    };
    let mut cases = vec![
        create("created", 201, USER),
        create("three mistakes", 422, r#"{"email": "ada", "age": 200}"#),
        create(
            "an unknown key",
            422,
            r#"{"email": "a@b.example", "name": "A", "admin": true}"#,
        ),
        create(
            "a key twice",
            422,
            r#"{"email": "a@b.example", "name": "A", "name": "B"}"#,
        ),
        create("the wrong type", 422, r#"{"email": 1, "name": "A"}"#),
        create("no object", 422, "[]"),
        create("not JSON", 400, "{"),
        create("something behind it", 400, "{} x"),
        create("nothing", 400, ""),
        create("no UTF-8 in a string", 400, "{\"email\": \"\\ud800\"}"),
        create("too deep", 422, &"[".repeat(500)),
        create("null", 422, "null"),
        create(
            "a name of 101",
            422,
            &format!(
                r#"{{"email": "a@b.example", "name": "{}"}}"#,
                "n".repeat(101)
            ),
        ),
        one("users: no content type", 415, post("/api/users").body(USER)),
        one(
            "users: text",
            415,
            post("/api/users")
                .header("content-type", "text/plain")
                .body(USER),
        ),
        one(
            "users: a charset",
            201,
            post("/api/users")
                .header("content-type", "application/json; charset=utf-8")
                .body(USER),
        ),
        one(
            "users: a suffix",
            201,
            post("/api/users")
                .header("content-type", "application/merge+json")
                .body(USER),
        ),
        one(
            "users: packed",
            415,
            post("/api/users")
                .header("content-encoding", "gzip")
                .json(USER),
        ),
        one(
            "users: as a problem",
            422,
            post("/api/users")
                .header("accept", "application/problem+json")
                .json("{}"),
        ),
        one(
            "users: in chunks",
            201,
            post("/api/users")
                .header("content-type", "application/json")
                .chunked(USER),
        ),
        one("users: found", 200, get("/api/users/1")),
        one("users: not there", 404, get("/api/users/999999")),
        create("while the database fails", 503, USER).while_("database", r#"{"mode":"error"}"#),
        one("users: once more", 200, get("/api/users/1")),
    ];
    for id in [
        "0",
        "-1",
        "abc",
        "1.5",
        "18446744073709551616",
        "%31",
        "%ff",
        "1%2F2",
        "%00",
    ] {
        let status = if id == "%31" {
            200
        } else if id == "%ff" {
            400
        } else {
            422
        };
        cases.push(one(
            &format!("users: id {id}"),
            status,
            get(&format!("/api/users/{id}")),
        ));
    }
    cases
}

fn search() -> Vec<Case> {
    let find = |name: &str, status, query: &str| {
        one(
            &format!("search: {name}"),
            status,
            get(&format!("/api/search{query}")),
        )
    };
    vec![
        find("found", 200, "?q=anchor"),
        find("escaped", 200, "?q=a%20b+c"),
        find("no query", 422, ""),
        find("empty", 422, "?q="),
        find("twice", 422, "?q=a&q=b"),
        find("unknown", 422, "?q=a&page=1"),
        find("long", 422, &format!("?q={}", "q".repeat(201))),
        find("no UTF-8", 400, "?q=%ff"),
        find("half an escape", 400, "?q=%2"),
        find("slow", 504, "?q=a").while_("search", r#"{"mode":"hang"}"#),
        find("failing", 503, "?q=a").while_("search", r#"{"mode":"error"}"#),
        find("panicking", 500, "?q=a").while_("search", r#"{"mode":"panic"}"#),
        one(
            "search: with less time, from somebody who may not say so",
            200,
            get("/api/search?q=a").header("x-request-timeout-ms", "1"),
        ),
    ]
}

fn limited() -> Vec<Case> {
    let ask = post("/api/expensive-operation");
    let mut beyond = Case::new("expensive: the fourth of three", &[200, 200, 200, 429]);
    let mut head = Case::new("limits: all of an address's quota", &[200; 30]);
    for _ in 0..3 {
        beyond = beyond.then(&ask.clone().body(""));
    }
    for _ in 0..29 {
        head = head.then(&get("/api/users/1"));
    }
    let mut over = Case::new("limits: one more", &[&[200; 30][..], &[429]].concat());
    for _ in 0..30 {
        over = over.then(&get("/api/users/1"));
    }
    vec![
        beyond.then(&ask.clone().last()),
        head.then(&get("/api/users/1").last()),
        over.then(&get("/api/users/1").last()),
        one(
            "limits: somebody else's address",
            200,
            get("/api/users/1")
                .header("x-forwarded-for", "203.0.113.9")
                .header("forwarded", "for=203.0.113.9"),
        ),
    ]
}

const EMAIL: &str = r#"{"to": "ada@example.com", "subject": "Hello", "body": "there"}"#;

fn emails() -> Vec<Case> {
    let mail = |name: &str, status, token: &str, body: &str| {
        let request = post("/api/send-email")
            .header("authorization", token)
            .json(body);
        one(&format!("email: {name}"), status, request)
    };
    let alice = "Bearer alice-token";
    let bobs = post("/api/send-email")
        .header("authorization", "Bearer bob-token")
        .json(EMAIL);
    vec![
        mail("sent", 202, alice, EMAIL),
        mail("an unknown token", 401, "Bearer nobody", EMAIL),
        mail("another scheme", 401, "Basic YTpi", EMAIL),
        one("email: no token", 401, post("/api/send-email").json(EMAIL)),
        mail(
            "a subject with a line break",
            422,
            alice,
            r#"{"to": "a@b.example", "subject": "a\r\nBcc: x", "body": ""}"#,
        ),
        mail("a relay that fails", 503, alice, EMAIL)
            .while_("notifications", r#"{"mode":"error"}"#),
        Case::new("email: the fifth of bob's", &[202, 202, 202, 202, 429])
            .then(&bobs)
            .then(&bobs)
            .then(&bobs)
            .then(&bobs)
            .then(&bobs.clone().last()),
    ]
}

fn builds() -> Vec<Case> {
    let start = |project: &str| post(&format!("/api/projects/{project}/builds")).json("{}");
    vec![
        one("builds: started", 201, start("anchor")),
        one(
            "builds: of a branch",
            201,
            post("/api/projects/rope/builds").json(r#"{"ref": "main"}"#),
        ),
        one("builds: no slug", 422, start("No_Slug")),
        one("builds: 65 characters", 422, start(&"a".repeat(65))),
        one(
            "builds: an unknown key",
            422,
            post("/api/projects/rope/builds").json(r#"{"branch": "main"}"#),
        ),
        Case::new("builds: the fourth of a project", &[201, 201, 201, 429])
            .then(&start("sail"))
            .then(&start("sail"))
            .then(&start("sail"))
            .then(&start("sail").last()),
    ]
}

const PAYMENT: &str = r#"{"amount": 1200, "currency": "EUR", "customer": "ada"}"#;

fn payments() -> Vec<Case> {
    let pay = |key: &str, body: &str| {
        post("/api/payments")
            .header("idempotency-key", key)
            .json(body)
    };
    let twice = pay("order-1", PAYMENT);
    vec![
        Case::new("payments: once and again", &[201, 201])
            .then(&twice.clone())
            .then(&twice.last()),
        Case::new("payments: another one under the key", &[201, 422])
            .then(&pay("order-2", PAYMENT))
            .then(
                &pay(
                    "order-2",
                    r#"{"amount": 1, "currency": "EUR", "customer": "ada"}"#,
                )
                .last(),
            ),
        one("payments: no key", 400, post("/api/payments").json(PAYMENT)),
        one("payments: an empty key", 400, pay("", PAYMENT)),
        one(
            "payments: a key of 256",
            400,
            pay(&"k".repeat(256), PAYMENT),
        ),
        one(
            "payments: two keys",
            400,
            pay("a", PAYMENT).header("idempotency-key", "b"),
        ),
        one("payments: a quoted key", 201, pay("\"order-3\"", PAYMENT)),
        one(
            "payments: nothing",
            422,
            pay(
                "order-4",
                r#"{"amount": 0, "currency": "eur", "customer": ""}"#,
            ),
        ),
        Case::new("payments: mended after a refusal", &[422, 201])
            .then(&pay("order-5", "{}"))
            .then(&pay("order-5", PAYMENT).last()),
        one("payments: not JSON", 400, pay("order-6", "{")),
        one(
            "payments: an unknown token",
            401,
            pay("order-7", PAYMENT).header("authorization", "Bearer x"),
        ),
        one(
            "payments: alice's",
            201,
            pay("order-1", PAYMENT).header("authorization", "Bearer alice-token"),
        ),
        one(
            "payments: a provider that fails",
            503,
            pay("order-8", PAYMENT),
        )
        .while_("payments", r#"{"mode":"error"}"#),
        one(
            "payments: the same, and it is back",
            201,
            pay("order-8", PAYMENT),
        ),
        one(
            "payments: a provider that panics",
            500,
            pay("order-9", PAYMENT),
        )
        .while_("payments", r#"{"mode":"panic"}"#),
        one(
            "payments: a provider that hangs",
            504,
            pay("order-10", PAYMENT),
        )
        .while_("payments", r#"{"mode":"hang"}"#),
        Case::new(
            "payments: eight at once",
            &[201, 409, 409, 409, 409, 409, 409, 409],
        )
        .then(&pay("order-11", PAYMENT).last())
        .at_once(8)
        .while_("payments", r#"{"mode":"slow","delay_ms":2000}"#),
        Case::new("users: once and again", &[201, 201])
            .then(
                &post("/api/users")
                    .header("idempotency-key", "user-1")
                    .json(USER),
            )
            .then(
                &post("/api/users")
                    .header("idempotency-key", "user-1")
                    .json(USER)
                    .last(),
            ),
    ]
}

const MESSAGE: &str = r#"{"event": "paid"}"#;

/// A message as its sender would send it, but for the body.
fn signed(scheme: impl Scheme, path: &str) -> Request {
    let secret = Secret::new("shop-webhook-secret-change-me").unwrap();
    let head = OwnedHead::request("POST", &format!("http://shop.example{path}"));
    let headers = Signer::new(scheme, secret).sign(&head, MESSAGE.as_bytes());
    headers
        .unwrap()
        .into_iter()
        .fold(post(path), |request, (name, value)| {
            request.header(name, value)
        })
}

fn webhooks() -> Vec<Case> {
    let body = MESSAGE;
    let plain = || signed(scheme::plain("x-signature"), "/api/webhooks/payment");
    let native = || signed(scheme::Native::new(), "/api/webhooks/signed");
    let zeros = "0".repeat(64);
    let wrong = |value: &str| {
        post("/api/webhooks/payment")
            .header("x-signature", value)
            .body(body)
    };
    let kept = native().body(body);
    vec![
        one("webhooks: plain", 200, plain().body(body)),
        one("webhooks: no text", 401, plain().body([0xff, 0xfe])),
        one("webhooks: another body", 401, plain().body("{}")),
        one(
            "webhooks: no signature",
            401,
            post("/api/webhooks/payment").body(body),
        ),
        one("webhooks: zeros", 401, wrong(&zeros)),
        one("webhooks: upper case", 401, wrong(&"A".repeat(64))),
        one("webhooks: short", 401, wrong("00")),
        one(
            "webhooks: two lines",
            401,
            wrong(&zeros).header("x-signature", zeros.clone()),
        ),
        one("webhooks: too long", 413, plain().body(vec![b'x'; 5000])),
        one(
            "webhooks: too long, in chunks",
            413,
            plain().chunked(vec![b'x'; 5000]),
        ),
        one("webhooks: signed", 200, native().body(body)),
        Case::new("webhooks: signed, and again", &[200, 401])
            .then(&kept.clone())
            .then(&kept.last()),
        one("webhooks: signed, another body", 401, native().body("{}")),
        one(
            "webhooks: unsigned",
            401,
            post("/api/webhooks/signed").body(body),
        ),
    ]
}

fn dashboard() -> Vec<Case> {
    let page = |name: &str| one(&format!("dashboard: {name}"), 200, get("/api/dashboard"));
    vec![
        page("whole"),
        page("without notifications").while_("notifications", r#"{"mode":"error"}"#),
        page("without its user").while_("user", r#"{"mode":"hang"}"#),
        page("without anything")
            .while_("user", r#"{"mode":"panic"}"#)
            .while_("notifications", r#"{"mode":"error"}"#)
            .while_("recommendations", r#"{"mode":"hang"}"#),
    ]
}

fn bodies() -> Vec<Case> {
    let long = vec![b'x'; 5000];
    let json = |request: Request| request.header("content-type", "application/json");
    vec![
        one(
            "bodies: announced too long",
            413,
            post("/api/users").json(long.clone()),
        ),
        one(
            "bodies: too long in chunks",
            413,
            json(post("/api/users")).chunked(long.clone()),
        ),
        one(
            "bodies: empty in chunks",
            400,
            json(post("/api/users")).chunked(""),
        ),
        one(
            "bodies: half of it, and no more",
            408,
            post("/api/users").json("").short("{\"email\"", 60),
        ),
        one(
            "bodies: on a GET",
            200,
            get("/api/users/1").body("not asked for"),
        ),
        one(
            "bodies: too long on a GET",
            413,
            get("/api/users/1").body(long.clone()),
        ),
        one(
            "bodies: too long where there is no route",
            413,
            post("/nowhere").body(long),
        ),
        one(
            "bodies: announced with a sign",
            400,
            post("/api/users")
                .header("content-length", "+5")
                .header("content-type", "application/json"),
        ),
        one(
            "bodies: two lengths",
            400,
            post("/api/users")
                .header("content-length", "5")
                .header("content-length", "6"),
        ),
        one(
            "heads: larger than they may be",
            431,
            get("/api/users/1").header("x-long", "y".repeat(17 * 1024)),
        ),
        one(
            "heads: larger than they may be, asked for by HEAD",
            431,
            Request::new("HEAD", "/api/users/1").header("x-long", "y".repeat(17 * 1024)),
        ),
    ]
}

fn methods() -> Vec<Case> {
    let mut cases = Vec::new();
    for (target, wrong) in [
        ("/api/users", "GET"),
        ("/api/users/1", "POST"),
        ("/api/search?q=a", "DELETE"),
        ("/api/expensive-operation", "GET"),
        ("/api/send-email", "PUT"),
        ("/api/projects/a/builds", "PATCH"),
        ("/api/payments", "GET"),
        ("/api/dashboard", "POST"),
        ("/api/webhooks/payment", "GET"),
        ("/api/webhooks/signed", "GET"),
        ("/livez", "POST"),
        ("/openapi.json", "POST"),
    ] {
        cases.push(one(
            &format!("methods: {wrong} {target}"),
            405,
            Request::new(wrong, target),
        ));
        let options = one(
            &format!("methods: OPTIONS {target}"),
            405,
            Request::new("OPTIONS", target),
        );
        cases.push(options);
    }
    for target in [
        "/api/users/1",
        "/api/search?q=a",
        "/api/dashboard",
        "/livez",
        "/health",
        "/openapi.json",
    ] {
        cases.push(one(
            &format!("methods: HEAD {target}"),
            200,
            Request::new("HEAD", target),
        ));
    }
    cases.push(one(
        "methods: HEAD of nothing",
        404,
        Request::new("HEAD", "/nowhere"),
    ));
    cases.push(one(
        "methods: HEAD of a mistake",
        422,
        Request::new("HEAD", "/api/users/0"),
    ));
    cases.push(one(
        "methods: HEAD of what is posted",
        405,
        Request::new("HEAD", "/api/users"),
    ));
    cases.push(one(
        "methods: one of our own",
        405,
        Request::new("BREW", "/api/users"),
    ));
    for target in [
        "/",
        "/nowhere",
        "/api",
        "/api/",
        "/api/users/",
        "/api/users/1/2",
        "//api/users",
        "/API/users",
        "/api/users;a",
    ] {
        cases.push(one(&format!("routes: {target}"), 404, get(target)));
    }
    cases.push(one(
        "routes: a problem",
        404,
        get("/nowhere").header("accept", "application/problem+json"),
    ));
    cases.push(one(
        "routes: of another kind",
        404,
        get("/nowhere").header("accept", "text/html"),
    ));
    cases
}

fn identities() -> Vec<Case> {
    vec![
        one(
            "ids: somebody's own",
            200,
            get("/api/users/1").header("x-request-id", "mine"),
        ),
        one(
            "ids: in a refusal",
            404,
            get("/nowhere").header("x-request-id", "mine"),
        ),
        one(
            "ids: a trace",
            200,
            get("/api/users/1").header(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
        ),
        one(
            "ids: header names in capitals",
            422,
            post("/api/users")
                .header("CONTENT-TYPE", "application/json")
                .body("{}"),
        ),
    ]
}

fn connections() -> Vec<Case> {
    let fine = get("/api/users/1");
    let kept = |name: &str| {
        Case::new(format!("connections: {name}"), &[200, 200, 200])
            .then(&fine)
            .then(&fine)
            .then(&fine.clone().last())
    };
    let refused = |name: &str| {
        Case::new(format!("connections: {name}"), &[404, 422, 405, 200])
            .then(&get("/nowhere"))
            .then(&get("/api/users/0"))
            .then(&Request::new("PUT", "/api/users"))
            .then(&fine.clone().last())
    };
    let unread = |name: &str| {
        Case::new(format!("connections: {name}"), &[415, 401, 404, 200])
            .then(&post("/api/users").body(USER))
            .then(&post("/api/send-email").json(EMAIL))
            .then(&post("/nowhere").chunked("not asked for"))
            .then(&fine.clone().last())
    };
    vec![
        kept("kept"),
        kept("in a pipeline").pipelined(),
        refused("kept after refusals"),
        refused("refusals in a pipeline").pipelined(),
        unread("bodies that nobody read"),
        unread("bodies that nobody reads, in a pipeline").pipelined(),
    ]
}

fn probes() -> Vec<Case> {
    ["/livez", "/readyz", "/startupz", "/health", "/openapi.json"]
        .into_iter()
        .map(|target| one(&format!("probes: {target}"), 200, get(target)))
        .collect()
}

/// The last, since it stays open.
fn breaker() -> Vec<Case> {
    let ask = get("/api/users/1");
    vec![
        Case::new("breaker: three failures open it", &[503, 503, 503, 503])
            .then(&ask)
            .then(&ask)
            .then(&ask)
            .then(&ask.clone().last())
            .while_("database", r#"{"mode":"hang"}"#),
        one("breaker: open", 503, ask),
        one(
            "breaker: open for writes",
            503,
            post("/api/users").json(USER),
        ),
    ]
}
