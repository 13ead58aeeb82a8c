//! The pictures of the report: what people would rather look at than read.

mod answers;
mod canvas;
mod lines;
mod voyage;

use self::canvas::{BARE, Ground, HARDENED};
use self::lines::{Line, Scale};
use super::{Entry, Pair};
use crate::chronicle::{Circuit, Course, Moment};

pub(super) use voyage::voyage;

/// Everything that there is to see of an entry, as a fragment of a page.
pub(super) fn charts(entry: &Entry) -> String {
    let courses = &entry.courses;
    let mut page = String::new();
    if courses.bare.end() > 0.0 || courses.hardened.end() > 0.0 {
        page.push_str(&latency(entry.name, courses));
        page.push_str(&memory(entry.name, courses));
        page.push_str(&answers_of(entry.name, courses));
        page.push_str(&circuit(entry.name, &courses.hardened));
    }
    page
}

/// How long those wait who do nothing wrong.
fn latency(name: &str, courses: &Pair<Course>) -> String {
    let users = courses
        .hardened
        .moments()
        .any(|(_, moment)| moment.user.is_some());
    let who = if users {
        "well-behaved users"
    } else {
        "the load balancer's probe"
    };
    let wait = |moment: &Moment| {
        let wait = if users { moment.user } else { moment.probe };
        wait.map(|wait| wait.as_secs_f64() * 1000.0)
    };
    lines::lines(
        &Ground {
            id: format!("{name}-latency"),
            title: format!("{name}: how long {who} wait"),
            about: format!(
                "The longest wait of {who} in each {} s of the attack, bare and hardened, on a \
                 logarithmic scale.",
                courses.hardened.width().as_secs_f64()
            ),
        },
        "longest wait (ms)",
        Scale::Milliseconds,
        &both(courses, wait),
    )
}

/// The pictures of one service alone.
pub(crate) fn service(course: &Course) -> String {
    let who = Line {
        name: "probe",
        colour: HARDENED,
        points: course
            .moments()
            .filter_map(|(end, moment)| Some((end, moment.probe?.as_secs_f64() * 1000.0)))
            .collect(),
    };
    let latency = lines::lines(
        &Ground {
            id: "service-latency".to_owned(),
            title: "How long the load balancer's probe waits".to_owned(),
            about: "The longest wait of a probe over the time of all attacks, on a logarithmic \
                    scale."
                .to_owned(),
        },
        "longest wait (ms)",
        Scale::Milliseconds,
        &[who],
    );
    let answers = answers::answers(
        &Ground {
            id: "service-answers".to_owned(),
            title: "What attackers are answered".to_owned(),
            about: "Answers a second by class of status, and requests without an answer, over the \
                    time of all attacks."
                .to_owned(),
        },
        &[("answers/s", course)],
    );
    format!("{latency}{answers}")
}

fn answers_of(name: &str, courses: &Pair<Course>) -> String {
    answers::answers(
        &Ground {
            id: format!("{name}-answers"),
            title: format!("{name}: what attackers are answered"),
            about: "Answers a second by class of status, and requests without an answer, during \
                    the attack; above of the bare service, below of the hardened one."
                .to_owned(),
        },
        &[
            ("bare: answers/s", &courses.bare),
            ("hardened: answers/s", &courses.hardened),
        ],
    )
}

fn memory(name: &str, courses: &Pair<Course>) -> String {
    lines::lines(
        &Ground {
            id: format!("{name}-memory"),
            title: format!("{name}: memory"),
            about: "Resident memory of both services during the attack.".to_owned(),
        },
        "resident memory (MiB)",
        Scale::Mebibytes,
        &both(courses, |moment| moment.memory.map(mebibytes)),
    )
}

/// Only where somebody found the circuit open; the bare service has none.
fn circuit(name: &str, course: &Course) -> String {
    let mut points = Vec::new();
    let mut before = 0.0;
    for (end, moment) in course.moments() {
        if let Some(circuit) = moment.circuit {
            let height = match circuit {
                Circuit::Closed => 0.0,
                Circuit::Open => 1.0,
            };
            points.extend([(before, height), (end, height)]);
        }
        before = end;
    }
    if !points.iter().any(|(_, height)| *height > 0.0) {
        return String::new();
    }
    lines::lines(
        &Ground {
            id: format!("{name}-circuit"),
            title: format!("{name}: the circuit breaker before the database"),
            about: "Whether callers found the circuit of the hardened service closed or open, at \
                    the end of each moment of the attack."
                .to_owned(),
        },
        "circuit",
        Scale::Circuit,
        &[Line {
            name: "hardened",
            colour: HARDENED,
            points,
        }],
    )
}

fn both(courses: &Pair<Course>, value: impl Fn(&Moment) -> Option<f64>) -> [Line; 2] {
    let line = |name, colour, course: &Course| Line {
        name,
        colour,
        points: course
            .moments()
            .filter_map(|(end, moment)| Some((end, value(moment)?)))
            .collect(),
    };
    [
        line("bare", BARE, &courses.bare),
        line("hardened", HARDENED, &courses.hardened),
    ]
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory in bytes stays below 2^52"
)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn each_picture_has_a_title_a_text_and_no_colour_of_its_own() {
        let charts = charts(&sample().entries[0]);
        for id in ["latency", "memory", "answers", "circuit"] {
            let named = format!("aria-labelledby=\"garbage-{id}-title garbage-{id}-desc\"");
            assert!(charts.contains(&named), "{id}: {charts}");
            assert!(charts.contains(&format!("<title id=\"garbage-{id}-title\">")));
        }
        assert!(charts.contains("stroke=\"var(--bare)\""));
        assert!(!charts.contains("=\"#"), "colours follow the scheme");
        assert!(charts.contains("longest wait (ms)") && charts.contains("time (s)"));
    }

    #[test]
    fn who_has_no_open_circuit_has_no_picture_of_it() {
        let mut report = sample();
        report.entries[0].courses.hardened = Course::default();
        assert!(!charts(&report.entries[0]).contains("garbage-circuit"));
    }
}
