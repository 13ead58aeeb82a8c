//! Unpacks request bodies, within limits.

use std::error::Error;
use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use seawall_web::answer;
use seawall_web::order::Layers;
use seawall_web::request::Coding;
use tower_layer::Layer;
use tower_service::Service;

use crate::outside::Outside;
use crate::reply::refuse;
use crate::{HttpHead, ReplyBody};

mod body;
mod future;
mod unpack;

pub use body::UnpackedBody;
pub use future::DecompressionFuture;

use unpack::Limits;

/// Unpacks request bodies that are packed with `gzip` or `deflate`, and refuses what is no good of
/// it: 413 `payload_too_large` over a limit, 400 `malformed_request` where it cannot be unpacked,
/// 415 `unsupported_media_type` for any other coding, or for two of them.
///
/// For routes whose clients send packed bodies. Nobody needs it to be safe from those that were not
/// asked for: the extractors of `seawall-axum` refuse packed bodies with 415. It goes below what
/// reads the bytes as they came, signatures above all, and above what reads the message.
///
/// Three limits hold at once, and unpacking stops at the nearest: bytes as they come
/// ([`wire`](Self::wire)), bytes unpacked ([`unpacked`](Self::unpacked)), and how many times the one
/// is the other ([`ratio`](Self::ratio)). A body that is not packed passes untouched and unlimited:
/// [`BodyLimitLayer`](crate::BodyLimitLayer) is for those, and for the time that either takes.
///
/// # Cancel safety
///
/// A dropped request drops what was gathered of it; the inner service was not called.
///
/// # Cost
///
/// Nothing for a body that is not packed. A packed one is gathered whole, then unpacked on the thread
/// that polls: a mebibyte takes a few milliseconds, so think before raising the limits. Memory: the
/// wire bytes, and at most twice the unpacked ones.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
/// use std::io::Write;
///
/// use bytes::Bytes;
/// use flate2::{Compression, write::GzEncoder};
/// use http::{Request, Response};
/// use http_body_util::{BodyExt, Full};
/// use seawall_tower::DecompressionLayer;
/// use seawall_tower::decompression::UnpackedBody;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let echo = service_fn(|request: Request<UnpackedBody<Full<Bytes>>>| async move {
///     let Ok(body) = request.into_body().collect().await;
///     Ok::<_, Infallible>(Response::new(Full::new(body.to_bytes())))
/// });
/// let service = DecompressionLayer::new().unpacked(64 * 1024).layer(echo);
///
/// let packed = |bytes: &[u8]| -> std::io::Result<_> {
///     let mut packed = GzEncoder::new(Vec::new(), Compression::default());
///     packed.write_all(bytes)?;
///     let body = Full::from(packed.finish()?);
///     Ok(Request::post("/").header("content-encoding", "gzip").body(body).expect("a request"))
/// };
/// let response = service.clone().oneshot(packed(b"hello")?).await?;
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
///
/// let bomb = vec![0; 1024 * 1024];
/// assert_eq!(service.oneshot(packed(&bomb)?).await?.status(), 413);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DecompressionLayer {
    limits: Limits,
}

impl DecompressionLayer {
    /// Takes `gzip` and `deflate`: 256 KiB on the wire, 1 MiB unpacked, the one at most 100 times the
    /// other. JSON shrinks to a tenth, seldom to a thirtieth; a bomb reaches a thousand.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            limits: Limits {
                wire: 256 * 1024,
                unpacked: 1024 * 1024,
                ratio: 100,
            },
        }
    }

    /// Allows this many bytes as they come; 256 KiB unless told.
    #[must_use]
    pub const fn wire(mut self, bytes: usize) -> Self {
        self.limits.wire = bytes;
        self
    }

    /// Allows this many bytes unpacked; 1 MiB unless told. What reads the body has limits of its own.
    #[must_use]
    pub const fn unpacked(mut self, bytes: usize) -> Self {
        self.limits.unpacked = bytes;
        self
    }

    /// Allows the unpacked bytes to be this many times those on the wire; 100 unless told. What
    /// unpacks to no more than 64 KiB is no bomb whatever its ratio.
    #[must_use]
    pub const fn ratio(mut self, times: usize) -> Self {
        self.limits.ratio = times;
        self
    }
}

impl Default for DecompressionLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<I> Layer<I> for DecompressionLayer {
    type Service = DecompressionService<I>;

    fn layer(&self, inner: I) -> Self::Service {
        DecompressionService {
            inner,
            limits: self.limits,
        }
    }
}

/// The service behind [`DecompressionLayer`].
#[derive(Clone, Debug)]
pub struct DecompressionService<I> {
    inner: I,
    limits: Limits,
}

impl<I, ReqB, ResB> Service<Request<ReqB>> for DecompressionService<I>
where
    I: Service<Request<UnpackedBody<ReqB>>, Response = Response<ResB>> + Clone,
    ReqB: Body<Data = Bytes>,
    ReqB::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ReplyBody<ResB>>;
    type Error = I::Error;
    type Future = DecompressionFuture<I, ReqB, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqB>) -> Self::Future {
        Outside::pass(request.extensions_mut(), Layers::DECOMPRESSION);
        let coding = match Coding::of(&HttpHead::of(&request)) {
            Coding::Identity => {
                return DecompressionFuture::passing(
                    self.inner.call(request.map(UnpackedBody::as_it_came)),
                );
            }
            Coding::Gzip => unpack::Coding::Gzip,
            Coding::Deflate => unpack::Coding::Deflate,
            _ => {
                let error = answer::coding::unsupported("gzip, deflate");
                return DecompressionFuture::refused(refuse(&request, error));
            }
        };
        // The service that is ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);
        DecompressionFuture::gathering(ready, request, coding, self.limits)
    }
}
