//! What a limit is counted by: the address, the principal, a header, a path parameter, the route.

use std::net::IpAddr;

use seawall_errors::{ApiError, Detail, codes};
use seawall_ratelimit::KeyBuf;

use super::{ClientIp, RequestHead};

/// Says by what a limit counts, and what happens where that is missing.
///
/// Keys are framed: every part carries its kind and length, so that no client byte can make two
/// different subjects share a key, or one subject have two.
///
/// # Examples
///
/// ```
/// use seawall_web::request::{ClientIp, KeyBy, Missing};
///
/// let by_address = KeyBy::address(ClientIp::peer());
/// let by_user = KeyBy::principal().or_missing(Missing::Refuse);
/// let by_project = KeyBy::path_param("project_id");
/// let by_user_and_route = KeyBy::all([KeyBy::principal(), KeyBy::route()]);
/// # let _ = (by_address, by_user, by_project, by_user_and_route);
/// ```
#[derive(Clone, Debug)]
pub struct KeyBy {
    parts: Vec<Part>,
    missing: Missing,
}

#[derive(Clone, Debug)]
enum Part {
    Everyone,
    Address(ClientIp),
    Principal,
    Header(Box<str>),
    PathParam { name: Box<str>, integer: bool },
    Route,
}

/// What to do with a request that lacks a part of the key.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Missing {
    /// All such requests share one key. The default: leaving the part out then never escapes the
    /// limit, and a misconfigured service is slow for the anonymous rather than broken for all.
    #[default]
    Shared,
    /// The policy does not apply to such requests.
    Skip,
    /// The client's address takes the part's place.
    Address(ClientIp),
    /// The request is refused: 401 for a missing principal, 400 for a missing header.
    Refuse,
}

impl KeyBy {
    /// One key for all requests: a limit on the whole service.
    #[must_use]
    pub fn everyone() -> Self {
        Self::part(Part::Everyone)
    }

    /// The client's address, cut to the prefix that `client_ip` is set to.
    #[must_use]
    pub fn address(client_ip: ClientIp) -> Self {
        Self::part(Part::Address(client_ip))
    }

    /// Who the caller was authenticated as.
    #[must_use]
    pub fn principal() -> Self {
        Self::part(Part::Principal)
    }

    /// The first value of a header, such as an API key. The name is matched in lower case.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self::part(Part::Header(name.to_ascii_lowercase().into()))
    }

    /// A parameter of the route, percent-decoded, so that `%41` and `A` are one resource.
    ///
    /// Place such a limit after authorisation, else anybody can spend a resource's quota.
    #[must_use]
    pub fn path_param(name: &str) -> Self {
        Self::part(Part::PathParam {
            name: name.into(),
            integer: false,
        })
    }

    /// A parameter of the route that is an integer, so that `007` and `7` are one resource. A
    /// value that is no unsigned 64-bit integer counts as missing.
    #[must_use]
    pub fn integer_path_param(name: &str) -> Self {
        Self::part(Part::PathParam {
            name: name.into(),
            integer: true,
        })
    }

    /// The method and the template of the matched route.
    #[must_use]
    pub fn route() -> Self {
        Self::part(Part::Route)
    }

    /// Several parts at once: each combination of values has its own count.
    ///
    /// The policy for missing parts is that of the result, not those of the parts.
    #[must_use]
    pub fn all(keys: impl IntoIterator<Item = Self>) -> Self {
        let parts = keys.into_iter().flat_map(|key| key.parts).collect();
        Self {
            parts,
            missing: Missing::default(),
        }
    }

    /// Chooses what happens to requests that lack a part; [`Missing::Shared`] unless told.
    #[must_use]
    pub fn or_missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// Whether it is meant to differ from caller to caller, as an address does and a route does not.
    #[must_use]
    pub fn tells_callers_apart(&self) -> bool {
        self.parts
            .iter()
            .any(|part| !matches!(part, Part::Everyone | Part::Route))
    }

    /// Whether it counts by the address of the peer and trusts no proxy, so that forwarding headers
    /// mean nothing to it.
    #[must_use]
    pub fn ignores_forwarded(&self) -> bool {
        let in_place = match &self.missing {
            Missing::Address(client_ip) => Some(client_ip),
            Missing::Shared | Missing::Skip | Missing::Refuse => None,
        };
        let parts = self.parts.iter().filter_map(|part| match part {
            Part::Address(client_ip) => Some(client_ip),
            _ => None,
        });
        parts
            .chain(in_place)
            .any(|client_ip| !client_ip.trusts_proxies())
    }

    /// The key of a request; `None` where the policy does not apply to it.
    ///
    /// # Errors
    ///
    /// The answer to a request that lacks a part of the key, under [`Missing::Refuse`].
    pub fn extract(&self, head: &(impl RequestHead + ?Sized)) -> Result<Option<KeyBuf>, ApiError> {
        let mut key = KeyBuf::new();
        Ok(self.append(head, &mut key)?.then_some(key))
    }

    /// Appends the key of a request; `false` where the policy does not apply to it.
    #[inline]
    pub(crate) fn append(
        &self,
        head: &(impl RequestHead + ?Sized),
        key: &mut KeyBuf,
    ) -> Result<bool, ApiError> {
        for part in &self.parts {
            if part.append(head, key).is_some() {
                continue;
            }
            match &self.missing {
                Missing::Shared => key.append([tag::MISSING]),
                Missing::Skip => return Ok(false),
                Missing::Refuse => return Err(part.refuse()),
                Missing::Address(client_ip) => {
                    if append_address(client_ip, head, key).is_none() {
                        key.append([tag::MISSING]);
                    }
                }
            }
        }
        Ok(true)
    }

    fn part(part: Part) -> Self {
        Self {
            parts: vec![part],
            missing: Missing::default(),
        }
    }
}

impl Part {
    /// Appends this part of the key; `None`, with the key as it was, when the request lacks it.
    #[inline]
    fn append(&self, head: &(impl RequestHead + ?Sized), key: &mut KeyBuf) -> Option<()> {
        match self {
            Self::Everyone => key.append([tag::EVERYONE]),
            Self::Address(client_ip) => return append_address(client_ip, head, key),
            Self::Principal => {
                let principal = head.principal()?;
                key.append([tag::PRINCIPAL]);
                key.append(principal);
            }
            Self::Header(name) => {
                let value = head.header(name)?;
                key.append([tag::HEADER]);
                key.append(value);
            }
            Self::PathParam { name, integer } => {
                let value = head.path_param(name)?;
                if *integer {
                    let number = value.parse::<u64>().ok()?;
                    key.append([tag::INTEGER]);
                    key.append(number.to_be_bytes());
                } else {
                    key.append([tag::PATH_PARAM]);
                    key.append(value.as_bytes());
                }
            }
            Self::Route => {
                let route = head.route()?;
                key.append([tag::ROUTE]);
                key.append(head.method());
                key.append(route);
            }
        }
        Some(())
    }

    #[cold]
    fn refuse(&self) -> ApiError {
        let error = match self {
            Self::Principal => ApiError::new(codes::UNAUTHORIZED).header("www-authenticate", "Bearer"),
            Self::Header(name) => ApiError::new(codes::MALFORMED_REQUEST)
                .detail(Detail::new("required", "This header is required").field(name.to_string())),
            Self::Everyone | Self::Address(_) | Self::PathParam { .. } | Self::Route => {
                ApiError::new(codes::INTERNAL_ERROR)
                    .note(format!("the request has no {self:?} to count it by; is the adapter set up to record it?"))
            }
        };
        error.not_executed()
    }
}

#[inline]
fn append_address(
    client_ip: &ClientIp,
    head: &(impl RequestHead + ?Sized),
    key: &mut KeyBuf,
) -> Option<()> {
    let address = client_ip.network(head).ok()?;
    key.append([tag::ADDRESS]);
    match address {
        IpAddr::V4(v4) => key.append(v4.octets()),
        IpAddr::V6(v6) => key.append(v6.octets()),
    }
    Some(())
}

/// What kind of part follows; never the same byte for two kinds, so that a principal called
/// `10.0.0.1` is not an address.
mod tag {
    pub(super) const MISSING: u8 = 0;
    pub(super) const EVERYONE: u8 = 1;
    pub(super) const ADDRESS: u8 = 2;
    pub(super) const PRINCIPAL: u8 = 3;
    pub(super) const HEADER: u8 = 4;
    pub(super) const PATH_PARAM: u8 = 5;
    pub(super) const ROUTE: u8 = 6;
    pub(super) const INTEGER: u8 = 7;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHead;
    use proptest::prelude::*;

    fn key(by: &KeyBy, head: &FakeHead) -> Vec<u8> {
        by.extract(head).unwrap().unwrap().as_ref().to_vec()
    }

    #[test]
    fn integers_have_one_spelling() {
        let by = KeyBy::integer_path_param("id");
        let head = |value| FakeHead::default().with_param("id", value);
        assert_eq!(key(&by, &head("007")), key(&by, &head("7")));
        assert_ne!(key(&by, &head("8")), key(&by, &head("7")));
        assert_eq!(key(&by, &head("x")), key(&by, &FakeHead::default()));
    }

    #[test]
    fn who_leaves_the_part_out_shares_one_key() {
        let by = KeyBy::header("X-Api-Key");
        let named = FakeHead::from_peer("10.0.0.1").with_header("x-api-key", "k");
        assert_eq!(
            key(&by, &FakeHead::from_peer("10.0.0.1")),
            key(&by, &FakeHead::from_peer("10.0.0.2"))
        );
        assert_ne!(key(&by, &named), key(&by, &FakeHead::default()));
        let empty = FakeHead::default().with_header("x-api-key", "");
        assert_ne!(
            key(&by, &empty),
            key(&by, &FakeHead::default()),
            "an empty value is not a missing one"
        );
    }

    #[test]
    fn skipping_refusing_and_falling_back_are_choices() {
        let head = FakeHead::from_peer("10.0.0.1");
        assert!(
            KeyBy::principal()
                .or_missing(Missing::Skip)
                .extract(&head)
                .unwrap()
                .is_none()
        );
        let refused = KeyBy::principal()
            .or_missing(Missing::Refuse)
            .extract(&head)
            .unwrap_err();
        assert_eq!(refused.status(), 401);
        let fallback = KeyBy::principal().or_missing(Missing::Address(ClientIp::peer()));
        assert_eq!(
            key(&fallback, &head),
            key(&KeyBy::address(ClientIp::peer()), &head)
        );
    }

    #[test]
    fn a_principal_named_like_an_address_is_not_that_address() {
        let head = FakeHead::from_peer("10.0.0.1").with_principal("\u{a}\0\0\u{1}");
        assert_ne!(
            key(&KeyBy::principal(), &head),
            key(&KeyBy::address(ClientIp::peer()), &head)
        );
    }

    proptest! {
        /// Framing: two different pairs never make the same key, wherever the boundary falls.
        #[test]
        fn parts_do_not_run_into_each_other(a in ".{0,6}", b in ".{0,6}", c in ".{0,6}", d in ".{0,6}") {
            let by = KeyBy::all([KeyBy::principal(), KeyBy::path_param("id")]);
            let one = FakeHead::default().with_principal(&a).with_param("id", &b);
            let two = FakeHead::default().with_principal(&c).with_param("id", &d);
            prop_assert_eq!(key(&by, &one) == key(&by, &two), (a, b) == (c, d));
        }
    }

    #[test]
    fn a_key_knows_what_it_is_good_for() {
        let peer = || KeyBy::address(ClientIp::peer());
        let proxy = ClientIp::behind(["10.0.0.0/8"], crate::request::ForwardedHeader::Forwarded);
        let proxied = KeyBy::address(proxy.unwrap());
        assert!(peer().ignores_forwarded());
        assert!(!proxied.ignores_forwarded());
        assert!(!KeyBy::principal().ignores_forwarded());
        let anonymous = KeyBy::principal().or_missing(Missing::Address(ClientIp::peer()));
        assert!(anonymous.ignores_forwarded());
        assert!(KeyBy::all([KeyBy::route(), peer()]).tells_callers_apart());
        assert!(!KeyBy::all([KeyBy::route(), KeyBy::everyone()]).tells_callers_apart());
    }
}
