//! Clients that ask for more than their quotas allow.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::future::join_all;
use seawall_ratelimit::Quota;
use shop::domain::Component;

use crate::client::{Call, Client};
use crate::scenario::within;
use crate::soak::scene::{Scene, Visitor};
use crate::soak::settings::{Settings, USERS, token};
use crate::soak::weather::Cause;

/// Where counts are, and what says how high they may go.
const COUNTED: [Cause; 2] = [Cause::Store, Cause::Reload];

/// More than the quota at once, from an address that nobody had before: exactly the quota is let in.
pub(super) async fn in_volleys(scene: Arc<Scene>) {
    let call = Call::post("/api/expensive-operation");
    while scene.goes_on() {
        let quota = scene.ground.settings().expensive;
        volley(&scene, "POST /api/expensive-operation", &call, &quota).await;
        scene.diary.pause(Duration::from_secs(2)).await;
    }
}

/// The same for projects.
pub(super) async fn by_project(scene: Arc<Scene>) {
    while scene.goes_on() {
        let project = u32::from(scene.addresses.take());
        let call = Call::post(format!("/api/projects/soak-{project:x}/builds")).json("{}");
        let quota = scene.ground.settings().builds;
        volley(
            &scene,
            "POST /api/projects/{project_id}/builds",
            &call,
            &quota,
        )
        .await;
        scene.diary.pause(Duration::from_secs(3)).await;
    }
}

/// Half as much again as may pass, on four connections.
async fn volley(scene: &Scene, route: &str, call: &Call, quota: &Quota) {
    let burst = quota.burst() as usize;
    let (start, from) = (Instant::now(), scene.addresses.take());
    let passed = AtomicUsize::new(0);
    let left = AtomicUsize::new(burst + burst / 2);
    let connection = async || {
        let mut visitor = scene.visitor().from(from);
        while left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
            .is_ok()
        {
            let answer = visitor.ask(call, &[]).await;
            let is_in = answer.is_some_and(|answer| answer.status < 300);
            passed.fetch_add(usize::from(is_in), Relaxed);
        }
    };
    join_all((0..4).map(|_| connection())).await;
    let check = within(route, burst, quota, start.elapsed(), passed.into_inner());
    if !check.ok && scene.was_fair(&COUNTED, start) {
        let what = format!("{route} admits its quota of {quota}, no more and no less");
        scene
            .diary
            .broke(what, format!("{}, expected {}", check.got, check.expected));
    }
}

/// One address that asks again and again, all along.
pub(super) async fn steadily(scene: Arc<Scene>) {
    let call = Call::post("/api/expensive-operation");
    let from = scene.addresses.take();
    let mut account = Account::open(Settings::most().expensive);
    while scene.goes_on() {
        let answer = scene.visitor().from(from).ask(&call, &[]).await;
        account.note(
            &scene,
            answer.is_some_and(|answer| answer.status < 300),
            &call,
        );
        scene.diary.pause(Duration::from_millis(500)).await;
    }
}

/// Users who send mail, each more than its quota.
pub(super) async fn by_user(scene: Arc<Scene>) {
    let quota = Settings::of(0).email;
    let mut accounts: Vec<Account> = (0..USERS).map(|_| Account::open(quota)).collect();
    while scene.goes_on() {
        for (user, account) in accounts.iter_mut().enumerate() {
            let call = Call::post("/api/send-email")
                .header("authorization", &format!("Bearer {}", token(user)))
                .json(r#"{"to":"bob@example.com","subject":"hello","body":"there"}"#);
            let needs = [Cause::Component(Component::Notifications)];
            let answer = scene.visitor().ask(&call, &needs).await;
            account.note(
                &scene,
                answer.is_some_and(|answer| answer.status == 202),
                &call,
            );
            scene.diary.pause(Duration::from_millis(150)).await;
        }
    }
}

/// What one caller was let do since the beginning.
struct Account {
    quota: Quota,
    since: Instant,
    passed: u64,
}

impl Account {
    fn open(quota: Quota) -> Self {
        let since = Instant::now();
        Self {
            quota,
            since,
            passed: 0,
        }
    }

    /// A lost store may cost a limit its counts, and so does a killed server that kept them itself: each
    /// may give the caller a fresh quota, and nothing else does.
    fn note(&mut self, scene: &Scene, passed: bool, call: &Call) {
        self.passed += u64::from(passed);
        let lost = scene.weather.spells(Cause::Store) + scene.weather.spells(Cause::Server);
        let elapsed = self.since.elapsed();
        let most = most(&self.quota, lost, elapsed);
        if self.passed > most {
            let what = format!("{} admits {} at most", call.label(), self.quota);
            let got = format!(
                "{} in {} s, {most} allowed with counts lost {lost} times",
                self.passed,
                elapsed.as_secs()
            );
            scene.diary.broke(what, got);
        }
    }
}

/// What a caller may do in this time: a burst for each time that counts were lost and one more, and what
/// came back.
fn most(quota: &Quota, lost: u64, elapsed: Duration) -> u64 {
    let returned = elapsed.as_micros() / quota.interval().as_micros().max(1);
    let bursts = (lost + 1) * u64::from(quota.burst());
    bursts + u64::try_from(returned).unwrap_or(u64::MAX) + 1
}

impl Visitor<'_> {
    /// The same from this address.
    fn from(mut self, from: Ipv4Addr) -> Self {
        self.client = Client::new(from, self.scene.ground.api());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_of_counts_brings_one_burst() {
        let quota: Quota = "10/minute".parse().unwrap();
        let minute = Duration::from_secs(60);
        assert_eq!(most(&quota, 0, Duration::ZERO), 11);
        assert_eq!(most(&quota, 0, minute), 21);
        assert_eq!(most(&quota, 2, minute), 41);
    }
}
