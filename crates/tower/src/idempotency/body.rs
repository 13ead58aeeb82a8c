//! The bodies on both sides of the layer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use crate::ReplyBody;

/// The body that the inner service is given: all read already where the request has a key, else as
/// it comes.
#[derive(Debug)]
#[pin_project]
pub struct BufferedBody<B>(#[pin] ReplyBody<B>);

impl<B> BufferedBody<B> {
    pub(super) fn passed(body: B) -> Self {
        Self(ReplyBody::inner(body))
    }

    pub(super) fn read(bytes: Bytes) -> Self {
        Self(ReplyBody::own(bytes))
    }
}

impl<B: Default> Default for BufferedBody<B> {
    fn default() -> Self {
        Self::read(Bytes::new())
    }
}

impl<B: Body<Data = Bytes>> Body for BufferedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.project().0.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// The body of an answer: the inner service's as it comes, one that was read to be kept, or a
/// repetition of it.
#[pin_project]
pub struct AnswerBody<B: Body> {
    #[pin]
    kind: Kind<B>,
}

#[pin_project(project = KindProjection)]
enum Kind<B: Body> {
    Passed(#[pin] ReplyBody<B>),
    Begun { first: Option<Bytes>, rest: Rest<B> },
}

/// What follows the bytes that were read.
pub(super) enum Rest<B: Body> {
    Nothing,
    Trailers(HeaderMap),
    Broken(B::Error),
    Body(Pin<Box<B>>),
}

impl<B: Body> AnswerBody<B> {
    pub(super) fn passed(body: ReplyBody<B>) -> Self {
        Self {
            kind: Kind::Passed(body),
        }
    }

    pub(super) fn begun(first: Bytes, rest: Rest<B>) -> Self {
        let first = (!first.is_empty()).then_some(first);
        Self {
            kind: Kind::Begun { first, rest },
        }
    }
}

impl<B: Body> fmt::Debug for AnswerBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Passed(_) => "passed",
            Kind::Begun { .. } => "begun",
        };
        f.debug_struct("AnswerBody")
            .field("kind", &kind)
            .finish_non_exhaustive()
    }
}

impl<B: Body> Default for AnswerBody<B> {
    fn default() -> Self {
        Self::begun(Bytes::new(), Rest::Nothing)
    }
}

impl<B: Body<Data = Bytes>> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let (first, rest) = match self.project().kind.project() {
            KindProjection::Passed(body) => return body.poll_frame(cx),
            KindProjection::Begun { first, rest } => (first, rest),
        };
        if let Some(first) = first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Rest::Body(body) = rest {
            return body.as_mut().poll_frame(cx);
        }
        Poll::Ready(match std::mem::replace(rest, Rest::Nothing) {
            Rest::Trailers(trailers) => Some(Ok(Frame::trailers(trailers))),
            Rest::Broken(error) => Some(Err(error)),
            Rest::Nothing | Rest::Body(_) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Passed(body) => body.is_end_stream(),
            Kind::Begun { first, rest } => {
                first.is_none()
                    && match rest {
                        Rest::Nothing => true,
                        Rest::Body(body) => body.is_end_stream(),
                        Rest::Trailers(_) | Rest::Broken(_) => false,
                    }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let (first, rest) = match &self.kind {
            Kind::Passed(body) => return body.size_hint(),
            Kind::Begun { first, rest } => (first, rest),
        };
        let read = first.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match rest {
            Rest::Nothing | Rest::Trailers(_) => SizeHint::with_exact(read),
            Rest::Broken(_) => SizeHint::default(),
            Rest::Body(body) => {
                let rest = body.size_hint();
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower().saturating_add(read));
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper.saturating_add(read));
                }
                hint
            }
        }
    }
}
