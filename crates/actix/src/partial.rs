//! An answer with parts missing, said so.

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use crate::Json;

/// Answers 200 with `{"data": …, "partial": …, "errors": [{"component", "error"}]}`.
///
/// A partial answer carries `Cache-Control: no-store`: nobody should be shown the outage after it has
/// ended. For the 503 of a failed critical component, `?` on
/// [`Unavailable`](seawall_degrade::Unavailable) goes through
/// [`answer::degrade::unavailable`](seawall_web::answer::degrade::unavailable).
///
/// # Examples
///
/// ```
/// use seawall_actix::{Partial, Result};
/// use seawall_degrade::{Degrade, optional, or_else};
/// use seawall_web::answer;
///
/// async fn dashboard() -> Result<Partial<(Option<&'static str>, Vec<u32>)>> {
///     let parts = (
///         optional("user", async { Ok::<_, String>("Ada") }),
///         or_else("notifications", async { Err("refused") }, Vec::new()),
///     );
///     let joined = Degrade::new().join(parts).await;
///     Ok(Partial(joined.map_err(answer::degrade::unavailable)?))
/// }
/// # let _ = dashboard;
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a wrapper that is built and taken apart by name"
)]
pub struct Partial<T>(pub seawall_degrade::Partial<T>);

impl<T> From<seawall_degrade::Partial<T>> for Partial<T> {
    fn from(partial: seawall_degrade::Partial<T>) -> Self {
        Self(partial)
    }
}

impl<T: Serialize> Responder for Partial<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let partial = self.0.is_partial();
        let mut response = Json(self.0).respond_to(request);
        if partial {
            let no_store = HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, no_store);
        }
        response
    }
}
