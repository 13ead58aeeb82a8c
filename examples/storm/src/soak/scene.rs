//! What everybody who takes part in a soak shares, and how anybody asks the shop for something.

use std::time::{Duration, Instant};

use super::books::Books;
use super::cli::Options;
use super::diary::Diary;
use super::ground::Ground;
use super::weather::{Cause, Weather};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::{Addresses, Call, Client};

/// One soak.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) options: Options,
    pub(super) ground: Ground,
    pub(super) weather: Weather,
    pub(super) diary: Diary,
    pub(super) books: Books,
    /// Looks at every answer: leaks, shape, waits.
    pub(super) audit: Audit,
    pub(super) addresses: Addresses,
}

impl Scene {
    pub(super) fn new(options: Options, ground: Ground) -> Self {
        Self {
            addresses: Addresses::new(options.seed),
            options,
            ground,
            weather: Weather::default(),
            diary: Diary::new(),
            books: Books::default(),
            audit: Audit::default(),
        }
    }

    /// Whether something new may be begun.
    pub(super) fn goes_on(&self) -> bool {
        self.diary.age() < self.options.length && !self.diary.is_broken()
    }

    /// Somebody at an address that nobody had before.
    pub(super) fn visitor(&self) -> Visitor<'_> {
        let client = Client::new(self.addresses.take(), self.ground.api()).patience(PATIENCE);
        Visitor {
            scene: self,
            client,
        }
    }

    /// Whether nothing that an answer needs has been broken since.
    pub(super) fn was_fair(&self, needs: &[Cause], since: Instant) -> bool {
        let felt = |causes| self.weather.was_felt(causes, since);
        !felt(needs) && !felt(&[Cause::Server])
    }
}

/// More than the shop may take for anything.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client with one connection.
pub(super) struct Visitor<'a> {
    pub(super) scene: &'a Scene,
    pub(super) client: Client,
}

impl Visitor<'_> {
    /// Asks, and looks at the answer: in fair weather there is one, it is no 5xx, and a request id is on
    /// it. `None` where there is none, with an excuse.
    pub(super) async fn ask(&mut self, call: &Call, needs: &[Cause]) -> Option<Answer> {
        let since = Instant::now();
        let result = self.client.send(call).await;
        let label = call.label();
        let is_probe = result.as_ref().is_ok_and(is_probe);
        // An answer to HEAD has no body to be in shape; it is searched all the same.
        let speaker = if label.starts_with("HEAD ") {
            Speaker::Parser
        } else if is_probe {
            Speaker::Probe
        } else {
            Speaker::Service
        };
        self.scene.audit.note(&label, speaker, &result);
        let diary = &self.scene.diary;
        match result {
            Ok(answer) => {
                if answer.status >= 500 && !is_probe && self.scene.was_fair(needs, since) {
                    diary.broke(
                        "no 5xx without a fault",
                        format!("{label}: {}", answer.excerpt()),
                    );
                }
                if label.contains(" /api/") && answer.header("x-request-id").is_none() {
                    diary.broke("every answer has one request id", label);
                }
                Some(answer)
            }
            Err(unanswered) => {
                if self.scene.was_fair(&[], since) {
                    diary.broke(
                        "every request is answered",
                        format!("{label}: {}", unanswered.name()),
                    );
                }
                None
            }
        }
    }

    /// The same for a request that is to be served in fair weather.
    pub(super) async fn is_served(&mut self, call: &Call, needs: &[Cause]) -> Option<Answer> {
        let since = Instant::now();
        let answer = self.ask(call, needs).await?;
        if !(200..300).contains(&answer.status) && self.scene.was_fair(needs, since) {
            let got = format!("{}: {}", call.label(), answer.excerpt());
            self.scene
                .diary
                .broke("what is well asked is served in fair weather", got);
        }
        Some(answer)
    }
}

fn is_probe(answer: &Answer) -> bool {
    answer.status == 503 && answer.header("content-type") == Some("application/health+json")
}
