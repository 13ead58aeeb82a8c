//! Tells the next service what is left.

use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request};
use seawall_timeout::{current, header};
use tower_layer::Layer;
use tower_service::Service;

/// Writes what remains of the current deadline into requests that go out.
///
/// For clients: around a hyper or reqwest service, called within a request that
/// [`DeadlineLayer`](super::DeadlineLayer) bounds. The next service, if it trusts this one, stops when
/// its answer would come too late. What remains is sent minus a reserve, in which the answer travels back
/// and is worked on here. A value that is there already, copied from a request that came in, is replaced.
///
/// Where nothing remains, 0 is sent: the next service refuses at once. To spare the call, put a
/// [`within`](seawall_timeout::within) around it, which then never begins it. Without a current
/// deadline the request goes out as it is.
///
/// # Cost
///
/// One clock read and one short string a request.
#[derive(Clone, Copy, Debug)]
pub struct PassDeadlineLayer {
    reserve: Duration,
    grammar: Grammar,
}

#[derive(Clone, Copy, Debug)]
enum Grammar {
    Millis,
    Grpc,
}

impl PassDeadlineLayer {
    /// Sends `x-request-timeout-ms`, keeping `reserve` for ourselves.
    #[must_use]
    pub fn new(reserve: Duration) -> Self {
        Self {
            reserve,
            grammar: Grammar::Millis,
        }
    }

    /// Sends `grpc-timeout` instead.
    #[must_use]
    pub fn grpc(mut self) -> Self {
        self.grammar = Grammar::Grpc;
        self
    }
}

impl<S> Layer<S> for PassDeadlineLayer {
    type Service = PassDeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PassDeadlineService {
            inner,
            layer: *self,
        }
    }
}

/// The service behind [`PassDeadlineLayer`].
#[derive(Clone, Debug)]
pub struct PassDeadlineService<S> {
    inner: S,
    layer: PassDeadlineLayer,
}

impl<S, B> Service<Request<B>> for PassDeadlineService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(deadline) = current() {
            let left = deadline.reserve(self.layer.reserve).remaining();
            let left = left.unwrap_or_default();
            let (name, value) = match self.layer.grammar {
                Grammar::Millis => (header::REQUEST_TIMEOUT_MS, header::format_millis(left)),
                Grammar::Grpc => (header::GRPC_TIMEOUT, header::format_grpc(left)),
            };
            // Digits and a letter are always a value.
            if let Ok(value) = HeaderValue::try_from(value) {
                let headers = request.headers_mut();
                headers.remove(header::REQUEST_TIMEOUT_MS);
                headers.remove(header::GRPC_TIMEOUT);
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        self.inner.call(request)
    }
}
