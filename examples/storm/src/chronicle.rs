//! What happened when, in one strike: a bounded course that the witnesses and the attackers write.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::answer::Answer;
use crate::client::Unanswered;

/// A course that is being written.
#[derive(Debug)]
pub(crate) struct Chronicle {
    start: Instant,
    course: Mutex<Course>,
}

/// At most [`Course::MOST`] moments of one width. When they are full, each pair becomes one of twice
/// the width, so that a strike of any length fits.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    width: Duration,
    moments: Vec<Moment>,
}

/// What was seen in a piece of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The longest that a well-behaved user waited for an answer which came, or not, in this moment.
    pub(crate) user: Option<Duration>,
    /// The same of the load balancer's probe.
    pub(crate) probe: Option<Duration>,
    /// The most memory, in bytes.
    pub(crate) memory: Option<u64>,
    /// The answers to the attackers.
    pub(crate) answers: [u32; Kind::ALL.len()],
    /// What callers of the database last learned of the circuit before it.
    pub(crate) circuit: Option<Circuit>,
}

/// What an answer is to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Served,
    Refused,
    Failed,
    None,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Served, Self::Refused, Self::Failed, Self::None];

    /// As a legend names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Served => "2xx",
            Self::Refused => "4xx",
            Self::Failed => "5xx",
            Self::None => "no answer",
        }
    }

    const fn of(result: &Result<Answer, Unanswered>) -> Self {
        match result {
            Ok(answer) if answer.status >= 500 => Self::Failed,
            Ok(answer) if answer.status >= 400 => Self::Refused,
            Ok(_) => Self::Served,
            Err(_) => Self::None,
        }
    }
}

/// A circuit as those see it who call through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Circuit {
    Closed,
    Open,
}

impl Chronicle {
    /// Begins now.
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            course: Mutex::default(),
        }
    }

    /// A well-behaved user's wait is over.
    pub(crate) fn visited(&self, latency: Duration) {
        self.write(|moment| moment.user = moment.user.max(Some(latency)));
    }

    /// A probe's wait is over, and the service is this large.
    pub(crate) fn probed(&self, latency: Duration, memory: Option<u64>) {
        self.write(|moment| {
            moment.probe = moment.probe.max(Some(latency));
            moment.memory = moment.memory.max(memory);
        });
    }

    /// An attacker's request has had its answer.
    pub(crate) fn answered(&self, request: &str, result: &Result<Answer, Unanswered>) {
        let circuit = match result {
            Ok(answer) if request.starts_with(THROUGH_THE_CIRCUIT) => match answer.status {
                200 => Some(Circuit::Closed),
                503 if answer.code().as_deref() == Some("circuit_open") => Some(Circuit::Open),
                _ => None,
            },
            _ => None,
        };
        self.write(|moment| {
            let count = &mut moment.answers[Kind::of(result) as usize];
            *count = count.saturating_add(1);
            moment.circuit = circuit.or(moment.circuit);
        });
    }

    /// What was written so far.
    pub(crate) fn course(&self) -> Course {
        self.course.lock().clone()
    }

    fn write(&self, what: impl FnOnce(&mut Moment)) {
        let at = self.start.elapsed();
        what(self.course.lock().at(at));
    }
}

const THROUGH_THE_CIRCUIT: &str = "GET /api/users/";

impl Course {
    /// More points than this are not seen in a chart as wide as a page.
    pub(crate) const MOST: usize = 60;

    const FINEST: Duration = Duration::from_millis(250);

    /// Each moment with the time at which it ends, in seconds.
    pub(crate) fn moments(&self) -> impl Iterator<Item = (f64, &Moment)> {
        let width = self.width.as_secs_f64();
        let mut end = 0.0;
        self.moments.iter().map(move |moment| {
            end += width;
            (end, moment)
        })
    }

    /// The length of a moment.
    pub(crate) const fn width(&self) -> Duration {
        self.width
    }

    /// When the last moment ends, in seconds.
    pub(crate) fn end(&self) -> f64 {
        self.moments().last().map_or(0.0, |(end, _)| end)
    }

    fn at(&mut self, time: Duration) -> &mut Moment {
        let mut place = self.place(time);
        while place >= Self::MOST {
            self.halve();
            place = self.place(time);
        }
        if place >= self.moments.len() {
            self.moments.resize(place + 1, Moment::default());
        }
        &mut self.moments[place]
    }

    fn place(&self, time: Duration) -> usize {
        let place = time.as_nanos() / self.width.as_nanos();
        usize::try_from(place).unwrap_or(usize::MAX)
    }

    fn halve(&mut self) {
        let pairs = self.moments.chunks(2);
        self.moments = pairs.map(Moment::both).collect();
        self.width *= 2;
    }
}

impl Default for Course {
    fn default() -> Self {
        Self {
            width: Self::FINEST,
            moments: Vec::new(),
        }
    }
}

impl Moment {
    fn both(moments: &[Self]) -> Self {
        let mut both = Self::default();
        for moment in moments {
            both.user = both.user.max(moment.user);
            both.probe = both.probe.max(moment.probe);
            both.memory = both.memory.max(moment.memory);
            both.circuit = moment.circuit.or(both.circuit);
            for (sum, count) in both.answers.iter_mut().zip(moment.answers) {
                *sum = sum.saturating_add(count);
            }
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn a_long_strike_has_wider_moments_and_loses_nothing() {
        let mut course = Course::default();
        for quarter in 0..1000 {
            let moment = course.at(ms(250 * quarter));
            moment.answers[Kind::Served as usize] += 1;
            moment.user = moment.user.max(Some(ms(quarter)));
        }
        assert!(course.moments.len() <= Course::MOST);
        assert_eq!(course.width, ms(250 * 32));
        let served: u32 = course.moments().map(|(_, moment)| moment.answers[0]).sum();
        assert_eq!(served, 1000);
        let slowest = course.moments().filter_map(|(_, moment)| moment.user).max();
        assert_eq!(slowest, Some(ms(999)));
        assert!((course.end() - 256.0).abs() < 1e-9);
    }

    #[test]
    fn only_callers_of_the_database_know_its_circuit() {
        let told = |request: &str, status: u16, body: &'static str| {
            let chronicle = Chronicle::new();
            let answer = Answer::new(status, &HeaderMap::new(), body.into(), ms(1));
            chronicle.answered(request, &Ok(answer));
            let course = chronicle.course();
            course.moments[0].circuit
        };
        let open = "{\"error\":\"circuit_open\"}";
        assert_eq!(told("GET /api/users/1", 503, open), Some(Circuit::Open));
        assert_eq!(told("GET /api/users/1", 200, "{}"), Some(Circuit::Closed));
        assert_eq!(told("GET /api/users/1", 503, "{}"), None);
        assert_eq!(told("GET /api/search?q=x", 200, "{}"), None);
    }
}
