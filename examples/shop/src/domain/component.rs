//! The dependencies of the business, each with a switch that breaks it.

use std::fmt;
use std::future;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;
use tokio::time;

use super::canary;
use super::error::DomainError;

/// Something that the business depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// Users live here.
    Database,
    /// The product index.
    Search,
    /// The feed of notifications, and the relay that sends mail.
    Notifications,
    /// The recommendation engine.
    Recommendations,
    /// The session store behind the dashboard.
    User,
    /// The payment provider.
    Payments,
}

impl Component {
    /// Every component.
    pub const ALL: [Self; 6] = [
        Self::Database,
        Self::Search,
        Self::Notifications,
        Self::Recommendations,
        Self::User,
        Self::Payments,
    ];

    /// The name in paths and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Search => "search",
            Self::Notifications => "notifications",
            Self::Recommendations => "recommendations",
            Self::User => "user",
            Self::Payments => "payments",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no component of this name.
#[derive(Debug)]
pub struct ParseComponentError;

impl fmt::Display for ParseComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Component::ALL.map(Component::name).join(", ");
        write!(f, "expected one of {names}")
    }
}

impl std::error::Error for ParseComponentError {}

impl FromStr for Component {
    type Err = ParseComponentError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|component| component.name() == name)
            .ok_or(ParseComponentError)
    }
}

/// How a component behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It answers.
    #[default]
    Ok,
    /// It fails at once.
    Error,
    /// It answers after the delay.
    Slow,
    /// It never answers; those who wait are cut off when the mode changes.
    Hang,
    /// It panics.
    Panic,
}

/// Where in the course of a payment its fault strikes; of the other components only the first is
/// ever reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// When it is asked to do something.
    #[default]
    Asked,
    /// When the charge is written, and not yet committed.
    Charged,
    /// When the charge is committed, and not yet answered for.
    Committed,
}

/// A mode with its delay: the body of `PUT /faults/{component}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// How the component behaves from now on.
    pub mode: Mode,
    /// The delay of [`Mode::Slow`], in milliseconds; 1000 where none is given.
    pub delay_ms: Option<u64>,
    /// Where it strikes.
    #[serde(default)]
    pub at: Stage,
}

impl Fault {
    fn delay(self) -> Duration {
        Duration::from_millis(self.delay_ms.unwrap_or(1000))
    }
}

/// All components with their switches and counters.
#[derive(Debug, Default)]
pub struct Components([Switch; Component::ALL.len()]);

#[derive(Debug, Default)]
struct Switch {
    fault: watch::Sender<Fault>,
    calls: AtomicU64,
    in_flight: AtomicU64,
}

impl Components {
    /// Sets how a component behaves from now on.
    pub fn set(&self, component: Component, fault: Fault) {
        self.switch(component).fault.send_replace(fault);
    }

    /// How often a component has been called.
    #[must_use]
    pub fn calls(&self, component: Component) -> u64 {
        self.switch(component).calls.load(Relaxed)
    }

    /// How many calls wait for a component right now.
    #[must_use]
    pub fn in_flight(&self, component: Component) -> u64 {
        self.switch(component).in_flight.load(Relaxed)
    }

    /// Calls a component.
    ///
    /// # Panics
    ///
    /// When the component has been told to.
    pub(crate) async fn call(&self, component: Component) -> Result<(), DomainError> {
        self.switch(component).calls.fetch_add(1, Relaxed);
        self.reach(component, Stage::Asked).await
    }

    /// Comes to a later stage of a call.
    ///
    /// # Panics
    ///
    /// When the component has been told to.
    pub(crate) async fn reach(
        &self,
        component: Component,
        stage: Stage,
    ) -> Result<(), DomainError> {
        let switch = self.switch(component);
        let _waiting = Waiting::on(&switch.in_flight);
        switch.answer(component, stage).await
    }

    /// Asks a component whether it is well: it behaves as for a call, and is not counted as called.
    ///
    /// # Errors
    ///
    /// When it fails.
    ///
    /// # Panics
    ///
    /// When the component has been told to.
    pub async fn ping(&self, component: Component) -> Result<(), DomainError> {
        self.switch(component).answer(component, Stage::Asked).await
    }

    fn switch(&self, component: Component) -> &Switch {
        let [
            database,
            search,
            notifications,
            recommendations,
            user,
            payments,
        ] = &self.0;
        match component {
            Component::Database => database,
            Component::Search => search,
            Component::Notifications => notifications,
            Component::Recommendations => recommendations,
            Component::User => user,
            Component::Payments => payments,
        }
    }
}

impl Switch {
    async fn answer(&self, component: Component, stage: Stage) -> Result<(), DomainError> {
        let mut fault = self.fault.subscribe();
        let current = *fault.borrow_and_update();
        if current.at != stage {
            return Ok(());
        }
        match current.mode {
            Mode::Ok => Ok(()),
            Mode::Error => Err(DomainError::of(component)),
            Mode::Slow => {
                time::sleep(current.delay()).await;
                Ok(())
            }
            Mode::Hang => {
                if fault.changed().await.is_err() {
                    future::pending::<()>().await;
                }
                Err(DomainError::of(component))
            }
            Mode::Panic => panic!("{} ({component})", canary::PANIC),
        }
    }
}

/// Counts a call as waiting until it ends, is dropped, or unwinds.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn on(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn broken(mode: Mode) -> Components {
        let components = Components::default();
        components.set(
            Component::Search,
            Fault {
                mode,
                delay_ms: Some(250),
                at: Stage::Asked,
            },
        );
        components
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_component_takes_its_delay() {
        let components = broken(Mode::Slow);
        let start = time::Instant::now();
        components.call(Component::Search).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_millis(250));
    }

    #[tokio::test]
    async fn only_the_broken_component_fails() {
        let components = broken(Mode::Error);
        assert!(components.call(Component::Search).await.is_err());
        assert!(components.call(Component::Database).await.is_ok());
        assert_eq!(components.calls(Component::Search), 1);
    }

    #[tokio::test]
    async fn a_fault_strikes_at_its_stage_alone() {
        let components = Components::default();
        let mut fault = Fault {
            mode: Mode::Error,
            at: Stage::Charged,
            ..Fault::default()
        };
        components.set(Component::Payments, fault);
        assert!(components.call(Component::Payments).await.is_ok());
        let reach = |stage| components.reach(Component::Payments, stage);
        assert!(reach(Stage::Charged).await.is_err());
        assert!(reach(Stage::Committed).await.is_ok());
        fault.at = Stage::Committed;
        components.set(Component::Payments, fault);
        assert!(reach(Stage::Charged).await.is_ok());
        assert!(reach(Stage::Committed).await.is_err());
    }

    #[tokio::test]
    async fn a_dropped_call_no_longer_waits() {
        let components = broken(Mode::Hang);
        let mut call = Box::pin(components.call(Component::Search));
        assert!(call.as_mut().now_or_never().is_none());
        assert_eq!(components.in_flight(Component::Search), 1);
        drop(call);
        assert_eq!(components.in_flight(Component::Search), 0);
    }

    #[tokio::test]
    async fn mending_a_component_cuts_off_those_who_hang_on_it() {
        let components = broken(Mode::Hang);
        let mut call = Box::pin(components.call(Component::Search));
        assert!(call.as_mut().now_or_never().is_none());
        components.set(Component::Search, Fault::default());
        assert!(call.await.is_err());
    }
}
