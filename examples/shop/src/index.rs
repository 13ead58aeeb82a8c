//! The product index as a service of its own: what a call to another service looks like.

use std::future::poll_fn;
use std::net::SocketAddr;

use axum::http::{Request, Response};
use bytes::Bytes;
use futures::TryFutureExt;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use tower_service::Service;

use crate::domain::{DomainError, IndexUnreachable};

/// A plain HTTP client; a clone shares its connections.
pub(crate) type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Asks the service that holds the index. Whatever client it is given makes the calls, so a layer
/// around that client sees each of them.
#[derive(Clone, Debug)]
pub(crate) struct Index<C = HttpClient> {
    at: SocketAddr,
    client: C,
}

/// A product that matched there.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Product {
    id: u32,
    title: String,
}

impl Index {
    pub(crate) fn new(at: SocketAddr) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { at, client }
    }
}

impl<C> Index<C> {
    /// The same index, called through something around the client.
    pub(crate) fn through<L>(self, around: impl FnOnce(C) -> L) -> Index<L> {
        Index {
            at: self.at,
            client: around(self.client),
        }
    }
}

impl<C> Index<C>
where
    C: Service<Request<Full<Bytes>>, Response = Response<Incoming>> + Clone,
    C::Error: Into<BoxError>,
{
    /// Finds products by a part of their name.
    pub(crate) async fn search(&self, query: &str) -> Result<Vec<Product>, DomainError> {
        self.ask(query)
            .map_err(|cause| DomainError::Index(IndexUnreachable::new(self.at, cause)))
            .await
    }

    async fn ask(&self, query: &str) -> Result<Vec<Product>, BoxError> {
        let query = serde_urlencoded::to_string([("q", query)])?;
        let uri = format!("http://{}/search?{query}", self.at);
        let request = Request::get(uri).body(Full::default())?;
        let mut client = self.client.clone();
        poll_fn(|cx| client.poll_ready(cx))
            .await
            .map_err(Into::into)?;
        let answer = client.call(request).await.map_err(Into::into)?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()).into());
        }
        let body = Limited::new(answer.into_body(), LONGEST).collect().await?;
        Ok(serde_json::from_slice(&body.to_bytes())?)
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// More than this is not an answer to a search.
const LONGEST: usize = 1024 * 1024;
