//! The body behind the layer: as it came, or unpacked.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

/// A request's body, unpacked where it was packed.
#[derive(Debug)]
#[pin_project]
pub struct UnpackedBody<B> {
    #[pin]
    kind: Kind<B>,
}

#[derive(Debug)]
#[pin_project(project = KindProjection)]
enum Kind<B> {
    AsItCame(#[pin] B),
    Unpacked(Option<Bytes>),
}

impl<B> UnpackedBody<B> {
    pub(super) fn as_it_came(body: B) -> Self {
        Self {
            kind: Kind::AsItCame(body),
        }
    }

    pub(super) fn unpacked(bytes: Bytes) -> Self {
        Self {
            kind: Kind::Unpacked(Some(bytes)),
        }
    }
}

impl<B: Body<Data = Bytes>> Body for UnpackedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::AsItCame(body) => body.poll_frame(cx),
            KindProjection::Unpacked(bytes) => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::AsItCame(body) => body.is_end_stream(),
            Kind::Unpacked(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::AsItCame(body) => body.size_hint(),
            Kind::Unpacked(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}
