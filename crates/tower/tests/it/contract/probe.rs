//! What stands below the layers here: it answers, fails or hangs, as the path says.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::sync::Notify;
use tower::Service;

use crate::support::{Plain, answer};

pub(super) const OK: &str = "/ok";
pub(super) const FAILS: &str = "/fails";
pub(super) const HANGS: &str = "/hangs";

/// How the probe fails.
#[derive(Debug)]
pub(super) struct Boom;

impl fmt::Display for Boom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Boom")
    }
}

impl std::error::Error for Boom {}

/// Always ready: what bounds it is around it.
#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    hanging: Arc<AtomicUsize>,
    release: Arc<Notify>,
}

impl Probe {
    /// How many calls have begun to hang.
    pub(super) fn hanging(&self) -> usize {
        self.hanging.load(SeqCst)
    }

    /// Ends a call that hangs.
    pub(super) fn release(&self) {
        self.release.notify_one();
    }
}

/// What comes of a call, whatever the request's body.
pub(super) type Answering = Pin<Box<dyn Future<Output = Result<Response<Plain>, Boom>> + Send>>;

impl<B> Service<Request<B>> for Probe {
    type Response = Response<Plain>;
    type Error = Boom;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Boom>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let probe = self.clone();
        let path = request.uri().path().to_owned();
        Box::pin(async move {
            match path.as_str() {
                FAILS => return Err(Boom),
                HANGS => {
                    probe.hanging.fetch_add(1, SeqCst);
                    probe.release.notified().await;
                }
                _ => {}
            }
            Ok(answer(200, "from the probe"))
        })
    }
}

/// An answer, whatever its body.
pub(super) trait Answer {
    fn code(&self) -> u16;
}

impl<B> Answer for Response<B> {
    fn code(&self) -> u16 {
        self.status().as_u16()
    }
}
