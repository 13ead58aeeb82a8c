//! The limits of single routes, whichever framework counts.

use seawall_ratelimit::ConfigError;
use seawall_web::request::{ClientIp, KeyBy, Missing};

use super::reload::{self, Counted};
use crate::state::AppState;
use crate::store::Stores;

#[derive(Clone, Debug)]
pub(super) struct RouteLimits {
    pub(super) expensive: Counted,
    pub(super) email: Counted,
    pub(super) builds: Counted,
}

impl RouteLimits {
    pub(super) fn new(
        state: &AppState,
        stores: &Stores,
        client: &ClientIp,
    ) -> Result<Self, ConfigError> {
        let by_address = || KeyBy::address(client.clone());
        // Behind authentication, so a missing principal is a mistake and never shares a count.
        let by_user = KeyBy::principal().or_missing(Missing::Refuse);
        // Whoever may start builds for anybody's project could spend the quotas of all of them, so they
        // can be counted by address as well: in the same decision, which charges both or neither.
        let by_project = [KeyBy::path_param("project_id"), by_address()];
        Ok(Self {
            expensive: Counted::new(state, stores, reload::expensive, [by_address()])?,
            email: Counted::new(state, stores, reload::email, [by_user])?,
            builds: Counted::new(state, stores, reload::builds, by_project)?,
        })
    }
}

impl From<RouteLimits> for Vec<Counted> {
    fn from(limits: RouteLimits) -> Self {
        vec![limits.expensive, limits.email, limits.builds]
    }
}
