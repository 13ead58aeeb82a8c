//! What a request with a key is about.

use bytes::Bytes;
use seawall_idempotency::{BodyForm, Fingerprint, Idempotency, IdempotencyKey, Operation, Store};

use super::{Execution, Rule};
use crate::request::{Caller, RequestHead};

/// A request that is to be carried out once: its key, whose it is, and by what rule.
#[derive(Debug)]
pub struct Asked<S> {
    front: Idempotency<S>,
    execution: Execution,
    form: BodyForm,
    key: IdempotencyKey,
    caller: Caller,
    /// Its template, or the path where no router has said one.
    route: Box<str>,
}

impl<S: Store> Asked<S> {
    pub(super) fn new(
        rule: &Rule<S>,
        key: IdempotencyKey,
        caller: Caller,
        route: Box<str>,
    ) -> Self {
        Self {
            front: rule.front.clone(),
            execution: rule.execution,
            form: rule.form.clone(),
            key,
            caller,
            route,
        }
    }

    /// The front of its rule.
    #[must_use]
    pub fn front(&self) -> &Idempotency<S> {
        &self.front
    }

    /// Where its work runs.
    #[must_use]
    pub fn execution(&self) -> Execution {
        self.execution
    }

    /// Its route.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// What the key stands for.
    pub fn operation<'a>(&'a self, method: &'a str) -> Operation<'a> {
        let Caller {
            tenant, principal, ..
        } = &self.caller;
        let mut operation = Operation::new(&self.key).method(method).route(&self.route);
        if let Some(tenant) = tenant {
            operation = operation.tenant(&**tenant);
        }
        if let Some(principal) = principal {
            operation = operation.principal(&**principal);
        }
        operation
    }

    /// What is asked for: a hash of the body, so it is taken once.
    #[must_use]
    pub fn fingerprint(&self, head: &dyn RequestHead, body: &Bytes) -> Fingerprint {
        self.form
            .fingerprint(head.path(), head.query(), head.header("content-type"), body)
    }
}
