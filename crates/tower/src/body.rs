//! The body of an answer: the inner service's own, or one that a layer wrote.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

/// The body of a response that either came from the inner service or was written by a layer.
///
/// No bound on the inner body and no box: layers pass bodies through as they are.
#[derive(Debug)]
#[pin_project]
pub struct ReplyBody<B> {
    #[pin]
    kind: Kind<B>,
}

#[derive(Debug)]
#[pin_project(project = KindProjection)]
enum Kind<B> {
    Inner(#[pin] B),
    Own(Option<Bytes>),
}

impl<B> ReplyBody<B> {
    /// Passes the inner service's body through.
    pub(crate) fn inner(body: B) -> Self {
        Self {
            kind: Kind::Inner(body),
        }
    }

    /// A body written by a layer.
    pub(crate) fn own(body: impl Into<Bytes>) -> Self {
        let bytes = body.into();
        Self {
            kind: Kind::Own((!bytes.is_empty()).then_some(bytes)),
        }
    }
}

impl<B: Default> Default for ReplyBody<B> {
    fn default() -> Self {
        Self::own(Bytes::new())
    }
}

impl<B: Body<Data = Bytes>> Body for ReplyBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Inner(body) => body.poll_frame(cx),
            KindProjection::Own(bytes) => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner(body) => body.is_end_stream(),
            Kind::Own(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner(body) => body.size_hint(),
            Kind::Own(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}
