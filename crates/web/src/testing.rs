//! A request head made by hand, for the tests of this crate.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::ControlFlow;

use crate::request::{PathParams, RequestHead};

#[derive(Default)]
pub(crate) struct FakeHead {
    method: Option<&'static str>,
    headers: Vec<(String, Vec<u8>)>,
    params: PathParams,
    peer: Option<IpAddr>,
    principal: Option<String>,
}

impl FakeHead {
    pub(crate) fn from_peer(peer: &str) -> Self {
        Self {
            peer: Some(peer.parse().unwrap()),
            ..Self::default()
        }
    }

    #[cfg(feature = "idempotency")]
    pub(crate) fn with_method(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        self.with_header_bytes(name, value.as_bytes())
    }

    pub(crate) fn with_header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    pub(crate) fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params = [(name, value)].into_iter().collect();
        self
    }

    pub(crate) fn with_principal(mut self, principal: &str) -> Self {
        self.principal = Some(principal.to_owned());
        self
    }
}

impl RequestHead for FakeHead {
    fn method(&self) -> &str {
        self.method.unwrap_or("GET")
    }

    fn path(&self) -> &str {
        "/things/7"
    }

    fn query(&self) -> Option<&str> {
        None
    }

    fn scheme(&self) -> Option<&str> {
        Some("http")
    }

    fn authority(&self) -> Option<&str> {
        Some("example.com")
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_slice())
    }

    fn each_header(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        let mut matching = self.headers.iter().filter(|(key, _)| key == name);
        let _ = matching.try_for_each(|(_, value)| visit(value));
    }

    fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    fn route(&self) -> Option<&str> {
        Some("/things/{id}")
    }

    fn path_param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.find(name).map(Cow::Borrowed)
    }

    fn principal(&self) -> Option<&str> {
        self.principal.as_deref()
    }
}
