//! Who is believed, and about what.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::request::{ClientIp, ForwardedHeader};

/// Who stands in front of this service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ProxiesConfig {
    /// The networks of trusted proxies, as CIDR or single addresses. Default: none, since whoever
    /// reaches a service directly can write any header.
    pub trusted: Vec<String>,
    /// The one header that they set. Default: `"x-forwarded-for"`.
    pub header: ProxyHeader,
    /// By how many leading bits of an IPv6 address limits count. Default: 64, which one customer
    /// commonly holds.
    pub ipv6_prefix: u8,
}

/// The header in which proxies say for whom they ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Whose request ids are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RequestIdConfig {
    /// The networks of peers that may choose a request's id. Default: none.
    pub trusted: Vec<String>,
}

/// Whose traces are continued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TraceConfig {
    /// Whether requests get a place in a trace, and a span. Default: yes.
    pub enabled: bool,
    /// The networks of peers whose traces are continued. Default: everybody's are, as W3C Trace
    /// Context has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted: Option<Vec<String>>,
}

impl Default for ProxiesConfig {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            header: ProxyHeader::default(),
            ipv6_prefix: 64,
        }
    }
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            trusted: None,
        }
    }
}

impl ProxiesConfig {
    /// Finds a client's address behind these proxies.
    ///
    /// # Errors
    ///
    /// When a text is no network, or the prefix is longer than an address.
    pub fn client_ip(&self) -> Result<ClientIp, ConfigError> {
        if !(1..=128).contains(&self.ipv6_prefix) {
            let expected = "expected 1 to 128 bits";
            return Err(ConfigError::new("proxies.ipv6_prefix", expected));
        }
        let header = match self.header {
            ProxyHeader::XForwardedFor => ForwardedHeader::XForwardedFor,
            ProxyHeader::Forwarded => ForwardedHeader::Forwarded,
        };
        let client_ip = networks("proxies.trusted", &self.trusted, header)?;
        Ok(client_ip.v6_prefix(self.ipv6_prefix))
    }
}

/// Checks that these are networks.
pub(super) fn check(key: &str, texts: &[String]) -> Result<(), ConfigError> {
    networks(key, texts, ForwardedHeader::XForwardedFor).map(drop)
}

fn networks(key: &str, texts: &[String], header: ForwardedHeader) -> Result<ClientIp, ConfigError> {
    ClientIp::behind(texts, header).map_err(|error| {
        ConfigError::new(
            key,
            format!("expected networks as in \"10.0.0.0/8\": {error}"),
        )
    })
}
