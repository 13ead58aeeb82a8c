//! `application/health+json`, written in a fixed order.

use std::fmt::Write;

use crate::answer::Told;
use crate::{Details, Probe, Role, State, Status};

/// The body of an answer.
pub(crate) fn body(probe: Probe, status: Status, told: &Told<'_>) -> Vec<u8> {
    let mut text = String::from("{");
    member(&mut text, "status", status.as_str());
    if told.details >= Details::Full
        && let Some((id, version)) = told.service
    {
        member(&mut text, "serviceId", id);
        member(&mut text, "version", version);
    }
    if told.details >= Details::Names {
        notes(&mut text, probe, told);
        checks(&mut text, probe, told);
    }
    text.push('}');
    text.into_bytes()
}

/// Why the state is what it is, where that is not a check.
fn notes(text: &mut String, probe: Probe, told: &Told<'_>) {
    let report = told.report;
    let matters = probe != Probe::Live;
    let notes = [
        (report.broken, "broken"),
        (report.stalled, "stalled"),
        (matters && !report.started, "starting"),
        (matters && report.draining, "draining"),
    ];
    let mut notes = notes.into_iter().filter(|(is, _)| *is).peekable();
    if notes.peek().is_none() {
        return;
    }
    key(text, "notes");
    text.push('[');
    for (_, note) in notes {
        separate(text);
        string(text, note);
    }
    text.push(']');
}

fn checks(text: &mut String, probe: Probe, told: &Told<'_>) {
    let reports = told.report.checks.iter().zip(told.ages);
    let mut reports = reports
        .filter(|(check, _)| match probe {
            Probe::Live => false,
            Probe::Startup => check.startup,
            Probe::Ready | Probe::Health => true,
        })
        .peekable();
    if reports.peek().is_none() {
        return;
    }
    key(text, "checks");
    text.push('{');
    for (check, age) in reports {
        key(text, &check.name);
        text.push_str("[{");
        member(text, "status", check.status().as_str());
        if told.details >= Details::Full {
            let role = match check.role {
                Role::Critical => "critical",
                Role::Optional => "optional",
                Role::Startup => "startup",
            };
            member(text, "role", role);
            match check.state {
                State::Fail(fault) => member(text, "output", fault.as_str()),
                State::Pending => member(text, "output", "pending"),
                State::Pass => {}
            }
            if let Some(age) = age {
                key(text, "ageMs");
                // Writing to a string does not fail.
                let _ = write!(text, "{}", age.as_millis());
            }
        }
        text.push_str("}]");
    }
    text.push('}');
}

fn member(text: &mut String, name: &str, value: &str) {
    key(text, name);
    string(text, value);
}

fn key(text: &mut String, name: &str) {
    separate(text);
    string(text, name);
    text.push(':');
}

/// A comma, unless something was just opened.
fn separate(text: &mut String) {
    if !text.ends_with(['{', '[']) {
        text.push(',');
    }
}

fn string(text: &mut String, value: &str) {
    text.push_str(&serde_json::Value::from(value).to_string());
}
