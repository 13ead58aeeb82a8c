//! Reads the body of a request, and makes something of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use bytes::Bytes;
use futures_core::Stream as _;
use seawall_errors::{ApiError, codes};
use seawall_web::Gathered;

use super::refusal::expect;
use crate::Error;
use crate::body_limit::unreadable;

/// How long the body may be that an extractor of this crate reads: 2 MiB, unless an app, a scope or a
/// resource has another of these among its `app_data`.
///
/// The last line of defence, where no body limit stands around the service: a body is in memory as
/// a whole. Actix's own `PayloadConfig` is for the extractors of actix.
///
/// # Examples
///
/// ```
/// use actix_web::{App, web};
/// use seawall_actix::extract::DefaultBodyLimit;
///
/// let uploads = web::scope("/uploads").app_data(DefaultBodyLimit::max(16 * 1024 * 1024));
/// # let _ = App::new().service(uploads);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultBodyLimit(usize);

impl DefaultBodyLimit {
    /// At most this many bytes.
    #[must_use]
    pub const fn max(bytes: usize) -> Self {
        Self(bytes)
    }
}

impl Default for DefaultBodyLimit {
    fn default() -> Self {
        Self(2 * 1024 * 1024)
    }
}

/// The future of an extractor that reads the body.
#[must_use = "futures do nothing unless polled"]
pub struct BodyFuture<T> {
    state: State<T>,
}

enum State<T> {
    Reading {
        payload: Payload,
        read: Gathered,
        limit: usize,
        make: fn(&[u8]) -> Result<T, ApiError>,
    },
    /// Taken when it is told.
    Refused(Option<ApiError>),
}

/// Reads a body of this media type, as it was sent.
pub(super) fn body<T>(
    request: &HttpRequest,
    payload: &mut Payload,
    media_type: impl Fn(&str) -> bool,
    make: fn(&[u8]) -> Result<T, ApiError>,
) -> BodyFuture<T> {
    let limit = request.app_data::<DefaultBodyLimit>().copied();
    let DefaultBodyLimit(limit) = limit.unwrap_or_default();
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let refused = match expect(request, media_type) {
        Err(error) => Some(error),
        Ok(()) => announced
            .is_some_and(|length| length > limit as u64)
            .then(too_large),
    };
    BodyFuture {
        state: match refused {
            Some(error) => State::Refused(Some(error)),
            None => State::Reading {
                payload: payload.take(),
                read: Gathered::default(),
                limit,
                make,
            },
        },
    }
}

impl<T> Future for BodyFuture<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (payload, read, limit, make) = match &mut self.state {
            State::Reading {
                payload,
                read,
                limit,
                make,
            } => (payload, read, *limit, *make),
            State::Refused(error) => {
                let error = error
                    .take()
                    .expect("a future is not polled after it was ready");
                return Poll::Ready(Err(error.into()));
            }
        };
        while let Some(chunk) = ready!(Pin::new(&mut *payload).poll_next(cx)) {
            match chunk {
                Ok(chunk) if read.len() + chunk.len() > limit => {
                    return Poll::Ready(Err(too_large().into()));
                }
                Ok(chunk) => read.push(chunk),
                Err(error) => return Poll::Ready(Err(unreadable(error).not_executed().into())),
            }
        }
        let bytes: Bytes = std::mem::take(read).into_bytes();
        Poll::Ready(make(&bytes).map_err(Error::from))
    }
}

impl<T> fmt::Debug for BodyFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Reading { .. } => "Reading",
            State::Refused(_) => "Refused",
        };
        f.debug_struct("BodyFuture")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

fn too_large() -> ApiError {
    ApiError::new(codes::PAYLOAD_TOO_LARGE).not_executed()
}
