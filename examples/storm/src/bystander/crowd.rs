//! Well-behaved users: each at an address of its own, asking for ordinary things at a human pace.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shop::domain::Component;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;

use crate::chronicle::Chronicle;
use crate::client::{Call, Client};
use crate::dice::Dice;
use crate::service::{Mending, Service};

/// When something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Before any attack.
    Healthy,
    /// While a scenario was striking.
    Storm,
}

/// How a user fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Served,
    /// What came instead.
    Failed(String),
    /// The dependency behind the request was broken on purpose meanwhile: nobody's fault.
    Excused,
}

/// One request of one user.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) phase: Phase,
    pub(crate) latency: Duration,
    pub(crate) outcome: Outcome,
}

/// Users that are out and about.
#[derive(Debug)]
pub(crate) struct Crowd {
    stop: watch::Sender<bool>,
    users: JoinSet<Vec<Visit>>,
}

impl Crowd {
    /// Sends a user from each address.
    pub(crate) fn start(
        on: &Handle,
        service: &Service,
        from: &[Ipv4Addr],
        phase: Phase,
        seed: u64,
        chronicle: &Arc<Chronicle>,
    ) -> Self {
        let stop = watch::Sender::new(false);
        let mut users = JoinSet::new();
        for address in from {
            let user = User {
                client: Client::new(*address, service.api).patience(PATIENCE),
                mending: service.mending.clone(),
                dice: Dice::new(seed, &format!("user {address}")),
                phase,
                chronicle: Arc::clone(chronicle),
            };
            users.spawn_on(user.wander(stop.subscribe()), on);
        }
        Self { stop, users }
    }

    /// Calls them home, each after the request under way.
    pub(crate) async fn stop(self) -> Vec<Visit> {
        self.stop.send_replace(true);
        self.users.join_all().await.into_iter().flatten().collect()
    }
}

/// Longer than this nobody looks at an empty page.
const PATIENCE: Duration = Duration::from_secs(3);

struct User {
    client: Client,
    mending: Arc<Mending>,
    dice: Dice,
    phase: Phase,
    chronicle: Arc<Chronicle>,
}

impl User {
    async fn wander(mut self, mut stop: watch::Receiver<bool>) -> Vec<Visit> {
        let mut visits = Vec::new();
        loop {
            // 80 ms on average: below the 1000 a minute that an address may ask for, however long
            // the storm.
            let pause = Duration::from_millis(50 + self.dice.below(61) as u64);
            let home = async { drop(stop.wait_for(|stop| *stop).await) };
            if time::timeout(pause, home).await.is_ok() {
                return visits;
            }
            let (component, call, expected) = self.wish();
            // Users do not come for what is known to be down.
            if !self.mending.is_broken(component) {
                visits.push(self.visit(component, &call, expected).await);
            }
        }
    }

    fn wish(&mut self) -> (Component, Call, u16) {
        match self.dice.below(20) {
            0..12 => {
                let user = self.dice.below(3) + 1;
                (
                    Component::Database,
                    Call::get(format!("/api/users/{user}")),
                    200,
                )
            }
            12..17 => {
                let word = self.dice.one(&["sea", "storm", "rope", "anchor"]);
                (
                    Component::Search,
                    Call::get(format!("/api/search?q={word}")),
                    200,
                )
            }
            _ => {
                let number = self.dice.below(1_000_000);
                let body = format!(
                    "{{\"email\":\"user{number}@example.com\",\"name\":\"User {number}\",\"age\":30}}"
                );
                (
                    Component::Database,
                    Call::post("/api/users").json(body),
                    201,
                )
            }
        }
    }

    async fn visit(&mut self, component: Component, call: &Call, expected: u16) -> Visit {
        let before = self.mending.mark(component);
        let start = Instant::now();
        let result = self.client.send(call).await;
        let latency = start.elapsed();
        let outcome = match result {
            Ok(answer) if answer.status == expected => Outcome::Served,
            _ if self.mending.mark(component) != before => Outcome::Excused,
            Ok(answer) => Outcome::Failed(format!("{}: {}", call.label(), answer.status)),
            Err(unanswered) => Outcome::Failed(format!("{}: {}", call.label(), unanswered.name())),
        };
        if outcome != Outcome::Excused {
            self.chronicle.visited(latency);
        }
        Visit {
            phase: self.phase,
            latency,
            outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn a_user_s_wishes_follow_from_the_seed() {
        let wishes = |seed| {
            let api: SocketAddr = "127.0.0.1:1".parse().unwrap();
            let mut user = User {
                client: Client::new(Ipv4Addr::LOCALHOST, api),
                mending: Arc::default(),
                dice: Dice::new(seed, "user"),
                phase: Phase::Healthy,
                chronicle: Arc::new(Chronicle::new()),
            };
            (0..20).map(|_| user.wish().1.label()).collect::<Vec<_>>()
        };
        assert_eq!(wishes(1), wishes(1));
        assert_ne!(wishes(1), wishes(2));
    }
}
