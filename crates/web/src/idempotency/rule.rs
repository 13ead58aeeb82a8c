//! What holds on which route.

use seawall_errors::{ApiError, codes};
use seawall_idempotency::{BodyForm, Idempotency, Presence, Store};

use super::Asked;
use crate::answer;
use crate::request::{RequestHead, Scope, changes_state, idempotency_key};

/// How requests of a route are carried out once.
#[derive(Debug)]
pub struct Rule<S> {
    pub(super) front: Idempotency<S>,
    pub(super) execution: Execution,
    pub(super) form: BodyForm,
}

/// Where the work runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Execution {
    /// In a task of its own, which goes on when the caller leaves.
    Detached,
    /// Within the request, which takes the work along when it is dropped.
    Inline,
}

impl<S: Store> Rule<S> {
    /// By this front: its policy, over its store.
    #[must_use]
    pub fn new(front: Idempotency<S>) -> Self {
        Self {
            front,
            execution: Execution::Detached,
            form: BodyForm::raw(),
        }
    }

    /// Keeps the work within the request, so that a client that leaves stops it half-way. For work
    /// that is one transaction, which then is rolled back, under a policy that takes another
    /// attempt after an unknown outcome.
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.execution = Execution::Inline;
        self
    }

    /// Compares bodies in this form. Default: [`BodyForm::raw`], byte by byte.
    #[must_use]
    pub fn body_form(mut self, form: BodyForm) -> Self {
        self.form = form;
        self
    }

    fn requires_key(&self) -> bool {
        self.front.policy().key_presence() == Presence::Required
    }
}

impl<S: Store> From<Idempotency<S>> for Rule<S> {
    fn from(front: Idempotency<S>) -> Self {
        Self::new(front)
    }
}

impl<S> Clone for Rule<S> {
    fn clone(&self) -> Self {
        Self {
            front: self.front.clone(),
            execution: self.execution,
            form: self.form.clone(),
        }
    }
}

/// The rules of a service by route, and for whom keys hold.
#[derive(Debug)]
pub struct Rules<S> {
    scope: Scope,
    otherwise: Rule<S>,
    /// Few, so that they are looked through.
    routes: Vec<(Box<str>, Box<str>, Rule<S>)>,
    requires_keys: bool,
    max_body: usize,
}

impl<S: Store> Rules<S> {
    /// One rule for every route, until [`route`](Self::route) says otherwise.
    #[must_use]
    pub fn new(otherwise: Rule<S>, scope: Scope) -> Self {
        Self {
            scope,
            requires_keys: otherwise.requires_key(),
            otherwise,
            routes: Vec::new(),
            max_body: 1 << 20,
        }
    }

    /// Another rule for the requests of this method and route template.
    pub fn route(&mut self, method: &str, template: &str, rule: Rule<S>) {
        self.routes
            .retain(|(m, t, _)| &**m != method || &**t != template);
        self.routes.push((method.into(), template.into(), rule));
        let required = |(_, _, rule): &(_, _, Rule<S>)| rule.requires_key();
        self.requires_keys = self.otherwise.requires_key() || self.routes.iter().any(required);
    }

    /// Bodies up to this many bytes. Default: 1 MiB.
    pub fn set_max_body(&mut self, bytes: usize) {
        self.max_body = bytes;
    }

    /// How long a body may be.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.max_body
    }

    /// Whether a request without a key has to be looked at: some rule requires one.
    #[must_use]
    pub fn requires_keys(&self) -> bool {
        self.requires_keys
    }

    /// What a request is about, if it is to be carried out once; `at_least` is how long its body
    /// cannot but be, where nothing is announced.
    ///
    /// # Errors
    ///
    /// The answer to a request whose key is none or missing, that does not say whose key it is, or
    /// whose body is too long.
    pub fn asked(
        &self,
        head: &dyn RequestHead,
        at_least: u64,
    ) -> Result<Option<Asked<S>>, ApiError> {
        if !changes_state(head.method()) {
            return Ok(None);
        }
        let key = idempotency_key(head).map_err(answer::idempotency::invalid)?;
        let route = head.route().unwrap_or_else(|| head.path());
        let rule = self.of(head.method(), route);
        let Some(key) = key else {
            return match rule.front.policy().key_presence() {
                Presence::Required => Err(answer::idempotency::missing()),
                _ => Ok(None),
            };
        };
        let caller = self.scope.caller(head)?;
        let announced = head.header("content-length");
        let announced = announced.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        if announced.unwrap_or(at_least) > self.max_body as u64 {
            return Err(ApiError::new(codes::PAYLOAD_TOO_LARGE).not_executed());
        }
        Ok(Some(Asked::new(rule, key, caller, route.into())))
    }

    fn of(&self, method: &str, route: &str) -> &Rule<S> {
        let found = self
            .routes
            .iter()
            .find(|(m, template, _)| &**template == route && &**m == method);
        found.map_or(&self.otherwise, |(_, _, rule)| rule)
    }
}

impl<S> Clone for Rules<S> {
    fn clone(&self) -> Self {
        Self {
            scope: self.scope.clone(),
            otherwise: self.otherwise.clone(),
            routes: self.routes.clone(),
            requires_keys: self.requires_keys,
            max_body: self.max_body,
        }
    }
}

#[cfg(test)]
mod tests {
    use seawall_idempotency::{MemoryStore, Policy};

    use super::*;
    use crate::testing::FakeHead;

    fn rule(presence: Presence) -> Rule<MemoryStore> {
        let policy = Policy::at_most_once().presence(presence);
        Rule::new(Idempotency::new(MemoryStore::new(), policy).unwrap())
    }

    fn post() -> FakeHead {
        FakeHead::default().with_method("POST")
    }

    fn refusal(rules: &Rules<MemoryStore>, head: &FakeHead, at_least: u64) -> Option<u16> {
        rules.asked(head, at_least).err().map(|error| {
            assert!(!error.was_executed());
            error.status()
        })
    }

    #[test]
    fn keys_are_required_where_a_rule_says_so() {
        let mut rules = Rules::new(rule(Presence::Optional), Scope::single_tenant());
        assert!(!rules.requires_keys());
        assert!(rules.asked(&post(), 0).unwrap().is_none());
        rules.route("POST", "/things/{id}", rule(Presence::Required));
        assert!(rules.requires_keys());
        assert_eq!(refusal(&rules, &post(), 0), Some(400));
        assert_eq!(refusal(&rules, &post().with_method("PUT"), 0), None);
        // The later word holds.
        rules.route("POST", "/things/{id}", rule(Presence::Optional));
        assert!(!rules.requires_keys());
        assert_eq!(refusal(&rules, &post(), 0), None);
    }

    #[test]
    fn a_body_is_judged_by_what_is_announced_or_is_there() {
        let mut rules = Rules::new(rule(Presence::Optional), Scope::single_tenant());
        rules.set_max_body(8);
        let keyed = || post().with_header("idempotency-key", "k");
        assert_eq!(refusal(&rules, &keyed(), 8), None);
        assert_eq!(refusal(&rules, &keyed(), 9), Some(413));
        assert_eq!(
            refusal(&rules, &keyed().with_header("content-length", "9"), 0),
            Some(413)
        );
        assert_eq!(
            refusal(&rules, &keyed().with_header("content-length", "8"), 9),
            None
        );
    }

    #[test]
    fn what_only_reads_passes_with_or_without_a_key() {
        let rules = Rules::new(rule(Presence::Required), Scope::principal());
        for head in [
            FakeHead::default(),
            FakeHead::default().with_header("idempotency-key", "\"open"),
        ] {
            assert!(rules.asked(&head, 0).unwrap().is_none());
        }
    }

    #[test]
    fn keys_hold_for_somebody() {
        let rules = Rules::new(rule(Presence::Optional), Scope::principal());
        let keyed = post().with_header("idempotency-key", "k");
        assert_eq!(refusal(&rules, &keyed, 0), Some(401));
        let asked = rules.asked(&keyed.with_principal("alice"), 0).unwrap();
        assert_eq!(asked.unwrap().route(), "/things/{id}");
    }
}
