//! For whom an idempotency key holds.

use std::fmt;
use std::sync::Arc;

use seawall_errors::{ApiError, codes};

use super::RequestHead;

/// Says for whom an idempotency key holds: two callers who send the same key must not be shown one
/// another's answers, so a layer cannot be made without one of these.
///
/// # Examples
///
/// ```
/// use seawall_web::request::Scope;
///
/// let by_user = Scope::principal();
/// let by_tenant_and_user = Scope::principal().tenant_path_param("tenant");
/// let one_client_only = Scope::single_tenant();
/// # let _ = (by_user, by_tenant_and_user, one_client_only);
/// ```
#[derive(Clone)]
pub struct Scope {
    who: Who,
    tenant: Option<Tenant>,
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Everyone,
    Principal,
    PrincipalOrNobody,
}

type Ask = Arc<dyn Fn(&dyn RequestHead) -> Option<String> + Send + Sync>;

#[derive(Clone)]
enum Tenant {
    PathParam(Box<str>),
    Asked(Ask),
}

/// Is for whom the key of one request holds.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// Is whose data it is about, where there are tenants.
    pub tenant: Option<Box<str>>,
    /// Is who asks; nobody is one of them.
    pub principal: Option<Box<str>>,
}

impl Scope {
    /// Keys hold for the [`Principal`](super::Principal) who sent them. A request with a key and
    /// without a principal is answered with 401: put the layer inside of authentication.
    #[must_use]
    pub fn principal() -> Self {
        Self::of(Who::Principal)
    }

    /// Keys hold for the principal who sent them, and all callers without one share theirs. One who
    /// guesses another's key, route and body is then shown the other's answer: for routes whose
    /// answers are no secret, or whose keys cannot be guessed.
    #[must_use]
    pub fn principal_or_anonymous() -> Self {
        Self::of(Who::PrincipalOrNobody)
    }

    /// Keys hold for every caller alike: for a service with one client, or whose clients are parts
    /// of one system. The name says what it costs elsewhere.
    #[must_use]
    pub fn single_tenant() -> Self {
        Self::of(Who::Everyone)
    }

    /// Keeps tenants apart by this parameter of the route. A route without it is a mistake in the
    /// service and is answered with 500.
    #[must_use]
    pub fn tenant_path_param(mut self, name: &str) -> Self {
        self.tenant = Some(Tenant::PathParam(name.into()));
        self
    }

    /// Keeps tenants apart by what `tenant` finds. Where it finds none, the request is answered with
    /// 401.
    #[must_use]
    pub fn tenant_by(
        mut self,
        tenant: impl Fn(&dyn RequestHead) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.tenant = Some(Tenant::Asked(Arc::new(tenant)));
        self
    }

    fn of(who: Who) -> Self {
        Self { who, tenant: None }
    }

    /// For whom the key of this request holds.
    ///
    /// # Errors
    ///
    /// The answer to a request that does not say.
    pub fn caller(&self, head: &dyn RequestHead) -> Result<Caller, ApiError> {
        let tenant = match &self.tenant {
            None => None,
            Some(Tenant::PathParam(name)) => match head.path_param(name) {
                Some(tenant) => Some(tenant.into()),
                None => {
                    let error = ApiError::new(codes::INTERNAL_ERROR).not_executed();
                    return Err(error.note(format!(
                        "idempotency keys are kept apart by `{name}`, which the route does not have"
                    )));
                }
            },
            Some(Tenant::Asked(ask)) => match ask(head) {
                Some(tenant) => Some(tenant.into()),
                None => return Err(unauthorized()),
            },
        };
        let principal = match self.who {
            Who::Everyone => None,
            Who::PrincipalOrNobody => head.principal().map(Into::into),
            Who::Principal => match head.principal() {
                Some(principal) => Some(principal.into()),
                None => return Err(unauthorized()),
            },
        };
        Ok(Caller { tenant, principal })
    }
}

fn unauthorized() -> ApiError {
    ApiError::new(codes::UNAUTHORIZED)
        .header("www-authenticate", "Bearer")
        .not_executed()
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = self.tenant.as_ref().map(|tenant| match tenant {
            Tenant::PathParam(name) => &**name,
            Tenant::Asked(_) => "asked",
        });
        f.debug_struct("Scope")
            .field("who", &self.who)
            .field("tenant", &tenant)
            .finish()
    }
}

/// Hides both names: they may be addresses or account numbers.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHead;

    fn asked(scope: &Scope, head: &FakeHead) -> Result<(Option<String>, Option<String>), u16> {
        let caller = scope.caller(head).map_err(|error| {
            assert!(!error.was_executed());
            error.status()
        })?;
        Ok((
            caller.tenant.map(String::from),
            caller.principal.map(String::from),
        ))
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn callers_are_told_apart_as_the_scope_says() {
        let alice = FakeHead::default().with_principal("alice");
        let nobody = FakeHead::default();
        assert_eq!(
            asked(&Scope::principal(), &alice),
            Ok((None, text("alice")))
        );
        assert_eq!(asked(&Scope::principal(), &nobody), Err(401));
        let lax = Scope::principal_or_anonymous();
        assert_eq!(asked(&lax, &alice), Ok((None, text("alice"))));
        assert_eq!(asked(&lax, &nobody), Ok((None, None)));
        assert_eq!(asked(&Scope::single_tenant(), &alice), Ok((None, None)));
    }

    #[test]
    fn tenants_are_found_or_nothing_is_done() {
        let alice = FakeHead::default().with_principal("alice");
        let by_path = Scope::principal().tenant_path_param("shop");
        assert_eq!(asked(&by_path, &alice), Err(500));
        let alice = alice.with_param("shop", "north");
        assert_eq!(asked(&by_path, &alice), Ok((text("north"), text("alice"))));
        let by_header = Scope::single_tenant()
            .tenant_by(|head| String::from_utf8(head.header("x-tenant")?.to_vec()).ok());
        assert_eq!(asked(&by_header, &alice), Err(401));
        let alice = alice.with_header("x-tenant", "south");
        assert_eq!(asked(&by_header, &alice), Ok((text("south"), None)));
    }

    #[test]
    fn nothing_of_a_caller_is_shown() {
        let head = FakeHead::default().with_principal("alice");
        let caller = Scope::principal().caller(&head).unwrap();
        assert_eq!(format!("{caller:?}"), "Caller(..)");
    }
}
