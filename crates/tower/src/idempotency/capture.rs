//! Reads an answer's body so that it can be kept, up to a size and a time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use seawall_web::Gathered;

use super::body::{AnswerBody, Rest};

/// A body as far as it was read.
pub(super) enum Captured<B: Body> {
    /// All of it.
    Whole(Bytes, Option<HeaderMap>),
    /// More than is kept, or it takes too long.
    Part(Bytes, Pin<Box<B>>),
    /// It broke off.
    Broken(Bytes, B::Error),
}

pub(super) async fn capture<B: Body<Data = Bytes>>(
    headers: &HeaderMap,
    body: B,
    largest: usize,
    within: Duration,
) -> Captured<B> {
    if body.is_end_stream() {
        return Captured::Whole(Bytes::new(), None);
    }
    let mut body = Box::pin(body);
    let mut read = Gathered::default();
    if body.size_hint().lower() > largest as u64 || is_event_stream(headers) {
        return Captured::Part(Bytes::new(), body);
    }
    let all = async {
        while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => read.push(data),
                Ok(Err(frame)) => return Ok(frame.into_trailers().ok().or(None)),
                Err(error) => return Err(Some(error)),
            }
            if read.len() > largest {
                return Err(None);
            }
        }
        Ok(None)
    };
    let mut all = pin!(all);
    // Most bodies are there already: no timer is made, and no clock read, before there is a wait.
    let end = match poll_fn(|cx| Poll::Ready(all.as_mut().poll(cx))).await {
        Poll::Ready(end) => Ok(end),
        Poll::Pending => tokio::time::timeout(within, all).await,
    };
    match end {
        Ok(Ok(trailers)) => Captured::Whole(read.into_bytes(), trailers),
        Ok(Err(Some(error))) => Captured::Broken(read.into_bytes(), error),
        Ok(Err(None)) | Err(_) => Captured::Part(read.into_bytes(), body),
    }
}

impl<B: Body> Captured<B> {
    pub(super) fn into_body(self) -> AnswerBody<B> {
        match self {
            Self::Whole(bytes, None) => AnswerBody::begun(bytes, Rest::Nothing),
            Self::Whole(bytes, Some(trailers)) => {
                AnswerBody::begun(bytes, Rest::Trailers(trailers))
            }
            Self::Part(bytes, rest) => AnswerBody::begun(bytes, Rest::Body(rest)),
            Self::Broken(bytes, error) => AnswerBody::begun(bytes, Rest::Broken(error)),
        }
    }
}

/// It may never end, and its reader waits for each line.
fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let essence = value.as_bytes().split(|&b| b == b';').next();
        essence.is_some_and(|essence| {
            essence
                .trim_ascii()
                .eq_ignore_ascii_case(b"text/event-stream")
        })
    })
}
