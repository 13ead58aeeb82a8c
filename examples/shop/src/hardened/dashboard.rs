//! The dashboard: what there is of it.

use axum::extract::State;
use seawall_axum::{Partial, Result};
use seawall_degrade::{Degrade, optional, or_else};
use seawall_errors::ApiError;
use seawall_web::answer;
use serde::Serialize;

use crate::domain::{Notification, Profile, Recommendation};
use crate::state::AppState;

/// The page. Every part of it can be missing, and none takes the others along.
#[derive(Serialize)]
pub(super) struct Dashboard {
    user: Option<Profile>,
    notifications: Vec<Notification>,
    recommendations: Vec<Recommendation>,
}

pub(super) async fn dashboard(State(app): State<AppState>) -> Result<Partial<Dashboard>> {
    Ok(page(&app).await?.into())
}

/// The page, of whatever answers.
pub(super) async fn page(app: &AppState) -> Result<seawall_degrade::Partial<Dashboard>, ApiError> {
    let shop = &app.shop;
    let parts = (
        optional("user", shop.profile()),
        or_else("notifications", shop.notifications(), Vec::new()),
        or_else("recommendations", shop.recommendations(), Vec::new()),
    );
    let joined = Degrade::new()
        .observer(app.telemetry.observer())
        .per_component(app.config.deadlines.dashboard.get())
        .join(parts)
        .await
        .map_err(answer::degrade::unavailable)?;
    Ok(
        joined.map(|(user, notifications, recommendations)| Dashboard {
            user,
            notifications,
            recommendations,
        }),
    )
}
