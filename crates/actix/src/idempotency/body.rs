//! The body of an answer that is kept, or was.

use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use pin_project::pin_project;

/// The body of an answer: the inner service's as it comes, one that was read to be kept, or a
/// repetition of it.
#[pin_project]
pub struct AnswerBody<B> {
    #[pin]
    kind: Kind<B>,
}

#[pin_project(project = KindProjection)]
enum Kind<B> {
    Passed(#[pin] B),
    Own(#[pin] BoxBody),
    Begun {
        first: Bytes,
        rest: Rest<B>,
        size: BodySize,
    },
}

/// What follows the bytes that were read.
pub(super) enum Rest<B> {
    Nothing,
    Broken(Box<dyn Error>),
    Body(Pin<Box<B>>),
}

impl<B> AnswerBody<B> {
    pub(super) fn passed(body: B) -> Self {
        Self {
            kind: Kind::Passed(body),
        }
    }

    pub(super) fn own(body: BoxBody) -> Self {
        Self {
            kind: Kind::Own(body),
        }
    }

    /// `size` is what the body said of itself before any of it was read.
    pub(super) fn begun(first: Bytes, rest: Rest<B>, size: BodySize) -> Self {
        Self {
            kind: Kind::Begun { first, rest, size },
        }
    }
}

impl<B> fmt::Debug for AnswerBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Passed(_) => "passed",
            Kind::Own(_) => "own",
            Kind::Begun { .. } => "begun",
        };
        f.debug_struct("AnswerBody")
            .field("kind", &kind)
            .finish_non_exhaustive()
    }
}

impl<B: MessageBody> MessageBody for AnswerBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        match &self.kind {
            Kind::Passed(body) => body.size(),
            Kind::Own(body) => body.size(),
            Kind::Begun { size, .. } => *size,
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn Error>>>> {
        let (first, rest) = match self.project().kind.project() {
            KindProjection::Passed(body) => {
                return body.poll_next(cx).map_err(Into::into);
            }
            KindProjection::Own(body) => return body.poll_next(cx),
            KindProjection::Begun { first, rest, .. } => (first, rest),
        };
        if !first.is_empty() {
            return Poll::Ready(Some(Ok(mem::take(first))));
        }
        if let Rest::Body(body) = rest {
            return body.as_mut().poll_next(cx).map_err(Into::into);
        }
        Poll::Ready(match mem::replace(rest, Rest::Nothing) {
            Rest::Broken(error) => Some(Err(error)),
            Rest::Nothing | Rest::Body(_) => None,
        })
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            Kind::Passed(body) => body.try_into_bytes().map_err(Self::passed),
            Kind::Own(body) => body.try_into_bytes().map_err(Self::own),
            Kind::Begun {
                first,
                rest: Rest::Nothing,
                ..
            } => Ok(first),
            kind @ Kind::Begun { .. } => Err(Self { kind }),
        }
    }
}
