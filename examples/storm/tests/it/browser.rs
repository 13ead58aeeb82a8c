//! The report as a reader meets it: in a browser, in light and in dark, and on paper.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::storm;
use crate::target::Service;

/// One run, since each costs seconds; the two schemes and the paper look at the same page.
#[test]
fn the_report_opens_in_light_and_dark_and_prints() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, html) = (path("storm.json"), path("storm.html"));
    let output = storm(&[
        "--quick",
        "--only",
        "outage,crowd",
        "--json",
        &json,
        "--html",
        &html,
    ]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");

    let light = browser.look(Path::new(&html), Scheme::Light);
    let dark = browser.look(Path::new(&html), Scheme::Dark);
    for seen in [&light, &dark] {
        assert_eq!(seen.console, Vec::<String>::new());
        // Latency, memory, answers and the breaker of the one attack.
        assert_eq!(seen.value("charts"), "4", "{seen:?}");
        assert_eq!(seen.value("drawn"), "4", "all of them take up room");
        assert_eq!(seen.value("named"), "4", "all of them have a title");
        assert!(seen.contrast("ink", "raised") >= 4.5, "{seen:?}");
        assert!(seen.contrast("label", "raised") >= 4.5, "{seen:?}");
        assert!(seen.contrast("bare", "raised") >= 3.0, "{seen:?}");
        assert!(seen.contrast("hardened", "raised") >= 3.0, "{seen:?}");
        assert_eq!(
            seen.value("overflow"),
            "0",
            "nothing is wider than the window"
        );
    }
    for colour in ["ground", "raised", "ink", "label", "bare", "hardened"] {
        assert_ne!(light.value(colour), dark.value(colour), "{colour}");
    }

    let paper = path("storm.pdf");
    browser.open(&[format!("--print-to-pdf={paper}"), format!("file://{html}")]);
    assert!(fs::read(paper).unwrap().starts_with(b"%PDF"));
}

#[test]
fn a_checklist_opens_too() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let service = Service::start(&[]);
    let (_, _, html) = service.attack("[healthy]\nroute = \"GET /api/users/1\"\n");
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("storm.html");
    fs::write(&page, html).unwrap();
    for scheme in [Scheme::Light, Scheme::Dark] {
        let seen = browser.look(&page, scheme);
        assert_eq!(seen.console, Vec::<String>::new());
        assert_eq!(seen.value("drawn"), "2", "{seen:?}");
        assert_eq!(seen.value("overflow"), "0", "{seen:?}");
    }
}

/// The way by which an error is seen does see one.
#[test]
fn an_error_on_the_console_is_seen() {
    let Some(browser) = Browser::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let text = "<!doctype html><body><img src=\"/nowhere.png\"><script>nothing()</script></body>";
    fs::write(&page, text).unwrap();
    let seen = browser.look(&page, Scheme::Light);
    assert!(
        seen.console.iter().any(|line| line.contains("nothing")),
        "{seen:?}"
    );
    assert_eq!(seen.value("charts"), "0");
}

struct Browser(PathBuf);

#[derive(Clone, Copy)]
enum Scheme {
    Light,
    Dark,
}

impl Browser {
    /// The one that is installed. Where there is none, says so, unless one is required.
    fn find() -> Option<Self> {
        let folders = env::var_os("PATH").unwrap_or_default();
        let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
        let found = env::split_paths(&folders)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .find(|program| program.is_file());
        if found.is_none() {
            assert!(
                env::var_os("SEAWALL_REQUIRE_BROWSER").is_none_or(|value| value != "1"),
                "no Chromium is installed, and SEAWALL_REQUIRE_BROWSER=1"
            );
            // Past the harness, which keeps what a passing test prints to itself.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: the report in a browser: no Chromium is installed"
            );
        }
        found.map(Self)
    }

    /// Opens a copy of the page that measures itself, since the page has no script of its own.
    fn look(&self, page: &Path, scheme: Scheme) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("page.html");
        let text = fs::read_to_string(page).unwrap();
        fs::write(&copy, format!("{text}<script>{MEASURE}</script>\n")).unwrap();
        let preferred = match scheme {
            Scheme::Dark => 0,
            Scheme::Light => 1,
        };
        let (dom, log) = self.open(&[
            format!("--blink-settings=preferredColorScheme={preferred}"),
            "--window-size=1200,900".to_owned(),
            "--enable-logging=stderr".to_owned(),
            "--dump-dom".to_owned(),
            format!("file://{}", copy.display()),
        ]);
        let (_, seen) = dom.split_once("data-seen=\"").expect("the page has run");
        let (seen, _) = seen.split_once('"').unwrap();
        let pairs = seen.split(';').filter_map(|pair| pair.split_once('='));
        Seen {
            console: log
                .lines()
                .filter(|line| line.contains(":CONSOLE"))
                .map(str::to_owned)
                .collect(),
            values: pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        }
    }

    /// Runs it to its end, and gives what it printed and logged.
    fn open(&self, args: &[String]) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut child = Command::new(&self.0)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-quic", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", at("profile").display()))
            .args(args)
            .stdin(Stdio::null())
            .stdout(File::create(at("out")).unwrap())
            .stderr(File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                let _ = child.kill();
                panic!("the browser does not end");
            }
            thread::sleep(Duration::from_millis(20));
        };
        let read = |name| fs::read_to_string(at(name)).unwrap();
        assert!(status.success(), "{status}: {}", read("log"));
        (read("out"), read("log"))
    }
}

/// What a browser shows.
#[derive(Debug)]
struct Seen {
    console: Vec<String>,
    values: Vec<(String, String)>,
}

impl Seen {
    fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The ratio of contrast by WCAG 2.
    fn contrast(&self, one: &str, other: &str) -> f64 {
        let [one, other] = [one, other].map(|name| luminance(self.value(name)));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }
}

/// Of `rgb(1, 2, 3)`.
fn luminance(colour: &str) -> f64 {
    let inside = colour.trim_start_matches("rgb(").trim_end_matches(')');
    let parts: Vec<f64> = inside
        .split(", ")
        .map(|part| part.parse::<f64>().unwrap() / 255.0)
        .map(|part| {
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        })
        .collect();
    0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
}

const MEASURE: &str = r#"
const charts = [...document.querySelectorAll('svg.chart')];
const colour = (selector, property) => {
  const element = document.querySelector(selector);
  return element ? getComputedStyle(element)[property] : '';
};
const seen = {
  charts: charts.length,
  drawn: charts.filter(chart => {
    const box = chart.getBoundingClientRect();
    return box.width > 100 && box.height > 60 && chart.querySelector('polyline, rect');
  }).length,
  named: charts.filter(chart => chart.querySelector('title, desc')?.textContent).length,
  overflow: Math.max(0, document.documentElement.scrollWidth - innerWidth),
  ground: colour('body', 'backgroundColor'),
  raised: colour('section', 'backgroundColor'),
  ink: colour('body', 'color'),
  label: colour('svg.chart text', 'fill'),
  bare: colour('svg.chart polyline[stroke="var(--bare)"]', 'stroke'),
  hardened: colour('svg.chart polyline[stroke="var(--hardened)"]', 'stroke'),
};
document.documentElement.dataset.seen =
  Object.entries(seen).map(([key, value]) => key + '=' + value).join(';');
"#;
