//! Reads an answer's body so that it can be kept, up to a size and a time.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{self, HeaderMap};
use bytes::Bytes;
use seawall_web::Gathered;

use super::body::{AnswerBody, Rest};

/// A body as far as it was read, and what it said of its size before.
pub(super) struct Captured<B> {
    pub(super) read: Extent<B>,
    size: BodySize,
}

pub(super) enum Extent<B> {
    /// All of it.
    Whole(Bytes),
    /// More than is kept, or it takes too long.
    Part(Bytes, Pin<Box<B>>),
    /// It broke off.
    Broken(Bytes, Box<dyn Error>),
}

pub(super) async fn capture<B: MessageBody>(
    headers: &HeaderMap,
    body: B,
    largest: usize,
    within: Duration,
) -> Captured<B> {
    let size = body.size();
    let read = match size {
        BodySize::None => Extent::Whole(Bytes::new()),
        BodySize::Sized(length) if length > largest as u64 => {
            Extent::Part(Bytes::new(), Box::pin(body))
        }
        _ if is_event_stream(headers) => Extent::Part(Bytes::new(), Box::pin(body)),
        _ => match body.try_into_bytes() {
            Ok(bytes) => Extent::Whole(bytes),
            Err(body) => read(Box::pin(body), largest, within).await,
        },
    };
    Captured { read, size }
}

async fn read<B: MessageBody>(
    mut body: Pin<Box<B>>,
    largest: usize,
    within: Duration,
) -> Extent<B> {
    let mut read = Gathered::default();
    let all = async {
        while let Some(chunk) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            read.push(chunk.map_err(|error| Some(error.into()))?);
            if read.len() > largest {
                return Err(None);
            }
        }
        Ok(())
    };
    let end = tokio::time::timeout(within, all).await;
    match end {
        Ok(Ok(())) => Extent::Whole(read.into_bytes()),
        Ok(Err(Some(error))) => Extent::Broken(read.into_bytes(), error),
        Ok(Err(None)) | Err(_) => Extent::Part(read.into_bytes(), body),
    }
}

impl<B> Captured<B> {
    /// The same as it would have been had nobody read it.
    pub(super) fn into_body(self) -> AnswerBody<B> {
        let size = self.size;
        match self.read {
            Extent::Whole(bytes) => {
                let size = match size {
                    BodySize::None => BodySize::None,
                    _ => BodySize::Sized(bytes.len() as u64),
                };
                AnswerBody::begun(bytes, Rest::Nothing, size)
            }
            Extent::Part(bytes, rest) => AnswerBody::begun(bytes, Rest::Body(rest), size),
            Extent::Broken(bytes, error) => AnswerBody::begun(bytes, Rest::Broken(error), size),
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
