//! storm at a service of somebody's own: the shop serves as one, with and without its guards.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{PROGRAM, storm};

#[test]
fn a_hardened_service_holds_every_item_that_the_plan_shows() {
    let service = Service::start(&[]);
    service.fault("search", "hang");
    service.fault("recommendations", "error");
    let (code, report, html) = service.attack(&plan());
    let broken: Vec<&Value> = checks(&report)
        .filter(|check| check["ok"] == false)
        .collect();
    assert_eq!(broken, Vec::<&Value>::new());
    assert_eq!(code, Some(0));
    for item in ITEMS {
        let expected = if item == "breakers" {
            "not_shown"
        } else {
            "held"
        };
        assert_eq!(verdict(&report, item), expected, "{item}");
    }
    assert!(html.contains("<section id=\"validated-inputs\">"));
}

#[test]
fn a_bare_service_breaks_them() {
    let service = Service::start(&["--bare"]);
    service.fault("search", "hang");
    service.fault("recommendations", "error");
    let (code, report, _) = service.attack(&plan());
    assert_eq!(code, Some(1));
    for item in ITEMS {
        let expected = match item {
            "breakers" => "not_shown",
            // Not without luck, and it promises nothing.
            "health" => continue,
            _ => "broken",
        };
        assert_eq!(verdict(&report, item), expected, "{item}");
    }
}

#[test]
fn a_dependency_that_is_down_is_left_alone_or_not() {
    let plan = "[healthy]\nroute = \"GET /livez\"\n[breaker]\nroute = \"GET /api/users/1\"\n";
    for (args, expected) in [(&[][..], "held"), (&["--bare"], "broken")] {
        let service = Service::start(args);
        service.fault("database", "error");
        let (_, report, _) = service.attack(plan);
        assert_eq!(verdict(&report, "breakers"), expected, "{args:?}");
        assert_eq!(verdict(&report, "idempotency"), "not_shown");
    }
}

#[test]
fn a_plan_that_does_not_fit_the_service_is_exit_code_3() {
    let service = Service::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    for (plan, told) in [
        ("[healthy]\nroute = \"GET /nowhere\"\n", "GET /nowhere"),
        (
            "[healthy]\nroute = \"GET /livez\"\n[inputs]\nroute = \"POST /api/users\"\n\
             valid = '{\"email\":\"nobody\"}'\n",
            "inputs.valid",
        ),
    ] {
        let output = service.storm(plan, folder.path());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.lines().last().unwrap().contains(told), "{stderr}");
    }
}

#[test]
fn a_fault_in_the_plan_is_one_line_with_its_place_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    fs::write(&plan, "[healthy]\nroute = \"GET /\"\n[breaker]\nroad = 1\n").unwrap();
    let output = storm(&[
        "--target",
        "http://127.0.0.1:1",
        "--plan",
        plan.to_str().unwrap(),
    ]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("line 4, `road`"), "{stderr}");
}

const ITEMS: [&str; 9] = [
    "validated inputs",
    "limits in layers",
    "idempotency",
    "timeouts",
    "breakers",
    "degradation",
    "safe errors",
    "request ids",
    "health",
];

/// The plan of the guide, which is thereby shown to work.
fn plan() -> String {
    let guide = include_str!("../../../../docs/guide/storm.md");
    let (_, rest) = guide.split_once("```toml\n").unwrap();
    let (plan, _) = rest.split_once("```").unwrap();
    plan.to_owned()
}

fn verdict<'a>(report: &'a Value, item: &str) -> &'a str {
    let items = report["items"].as_array().unwrap();
    let found = items.iter().find(|known| known["name"] == item).unwrap();
    found["verdict"].as_str().unwrap()
}

fn checks(report: &Value) -> impl Iterator<Item = &Value> {
    let items = report["items"].as_array().unwrap();
    items
        .iter()
        .flat_map(|item| item["checks"].as_array().unwrap())
}

/// A shop that nobody but this test knows.
pub(crate) struct Service {
    child: Child,
    api: String,
    admin: String,
}

impl Service {
    pub(crate) fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("shop.toml");
        let slow = "\"400ms\"";
        let settings = format!(
            "[server]\nheader_timeout = {slow}\nidle_timeout = {slow}\nwrite_timeout = {slow}\n\
             body_timeout = {slow}\n[deadlines]\nsearch = \"1s\"\n[breaker]\nopen_for = \"20s\"\n"
        );
        fs::write(&config, settings).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--until-stdin-closes", "--listen", "127.0.0.1:0"])
            .args([
                "--admin",
                "127.0.0.1:0",
                "--config",
                config.to_str().unwrap(),
            ])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut after = |prefix: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(prefix).unwrap().to_owned()
        };
        let api = after("listening on http://");
        let admin = after("admin on http://");
        Self { child, api, admin }
    }

    fn fault(&self, component: &str, mode: &str) {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        let body = format!("{{\"mode\":\"{mode}\"}}");
        write!(
            stream,
            "PUT /faults/{component} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }

    /// The exit code and both reports.
    pub(crate) fn attack(&self, plan: &str) -> (Option<i32>, Value, String) {
        let folder = tempfile::tempdir().unwrap();
        let output = self.storm(plan, folder.path());
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        let json = serde_json::from_str(&read("storm.json")).unwrap();
        (output.status.code(), json, read("storm.html"))
    }

    fn storm(&self, plan: &str, folder: &Path) -> std::process::Output {
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        fs::write(path("plan.toml"), plan).unwrap();
        storm(&[
            "--target",
            &format!("http://{}", self.api),
            "--plan",
            &path("plan.toml"),
            "--json",
            &path("storm.json"),
            "--html",
            &path("storm.html"),
        ])
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
