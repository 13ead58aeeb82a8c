//! URLs, by WHATWG's parser.

use url::{Host, Url};

use crate::Code;

/// What is wrong with a URL of these schemes, if anything: [`Code::URL`], [`Code::URL_SCHEME`] or
/// [`Code::URL_CREDENTIALS`].
///
/// The parser forgives a good deal (tabs and line breaks inside, missing slashes, backslashes);
/// what it has to forgive is refused here, because the next program may read it another way.
///
/// # Errors
///
/// The code of what is wrong.
pub fn check_url(text: &str, schemes: &[&str]) -> Result<(), Code> {
    let url = parse(text).ok_or(Code::URL)?;
    if !schemes.contains(&url.scheme()) {
        return Err(Code::URL_SCHEME);
    }
    // Empty ones too, `https://:@host`: the parser drops them, and another reader may not.
    if authority(text).contains('@') {
        return Err(Code::URL_CREDENTIALS);
    }
    if url.host_str().is_none_or(str::is_empty) {
        Err(Code::URL)
    } else {
        Ok(())
    }
}

/// What stands between the slashes and the path. The parser has accepted the text, and [`parse`] that
/// there are no backslashes, which are slashes to some.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn parse(text: &str) -> Option<Url> {
    let plain = !text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '\\');
    let url = if plain {
        Url::parse(text).ok()?
    } else {
        return None;
    };
    text.get(url.scheme().len()..)
        .is_some_and(|rest| rest.starts_with("://"))
        .then_some(url)
}

/// Whether the host of this URL, host name or address is public: not loopback, private, link-local,
/// shared, documentation, multicast or reserved, and not a name that never leaves the network.
///
/// It looks at the text alone. A public name may still resolve to a private address: check the
/// address again when connecting.
#[must_use]
pub fn is_public_host(text: &str) -> bool {
    let host = match parse(text).and_then(|url| url.host().map(|host| host.to_owned())) {
        Some(host) => host,
        None => match Host::parse(text) {
            Ok(host) => host,
            Err(_) => return false,
        },
    };
    match host {
        Host::Ipv4(address) => super::is_public_ip(address.into()),
        Host::Ipv6(address) => super::is_public_ip(address.into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let last = name.rsplit('.').next().unwrap_or_default();
            super::is_fqdn(name.as_bytes())
                && ![
                    "local",
                    "localhost",
                    "internal",
                    "intranet",
                    "lan",
                    "home",
                    "corp",
                    "arpa",
                    "onion",
                    "test",
                    "invalid",
                ]
                .contains(&last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schemes_that_were_asked_for() {
        let https = ["https"];
        assert_eq!(check_url("https://example.com/a?b#c", &https), Ok(()));
        assert_eq!(
            check_url("http://example.com", &https),
            Err(Code::URL_SCHEME)
        );
        assert_eq!(
            check_url("https://u:p@example.com", &https),
            Err(Code::URL_CREDENTIALS)
        );
        for bad in [
            "",
            "example.com",
            "javascript:alert(1)",
            "https:example.com",
            "https:\\\\example.com",
            "https://",
            "https://exa mple.com",
            "https://a\tb.com",
        ] {
            assert_eq!(check_url(bad, &https), Err(Code::URL), "{bad}");
        }
    }

    #[test]
    fn private_hosts_are_seen_through_their_disguises() {
        for public in [
            "https://example.com",
            "https://8.8.8.8",
            "https://[2606:4700::1]",
        ] {
            assert!(is_public_host(public), "{public}");
        }
        for private in [
            "https://localhost",
            "https://127.0.0.1",
            "https://2130706433",
            "https://0x7f.1",
            "https://10.1.2.3",
            "https://169.254.169.254",
            "https://[::1]",
            "https://[fd00::1]",
            "https://[::ffff:127.0.0.1]",
            "https://printer.local",
            "https://intranet",
            "https://100.64.0.1",
            "https://0.0.0.0",
            "https://[fe80::1]",
            "https://[64:ff9b::7f00:1]",
        ] {
            assert!(!is_public_host(private), "{private}");
        }
    }

    #[test]
    fn credentials_are_a_name_or_a_password() {
        // The last two are empty, which the parser forgives.
        for user in ["u", ":p", "u:p", "a@b", "", ":"] {
            for rest in ["", "/", "/a@b", "?a", "#a"] {
                let url = format!("https://{user}@a.bc{rest}");
                assert!(Url::parse(&url).is_ok(), "{url}");
                assert_eq!(
                    check_url(&url, &["https"]),
                    Err(Code::URL_CREDENTIALS),
                    "{url}"
                );
            }
        }
        for url in [
            "https://a.bc/@b",
            "https://a.bc?a@b",
            "https://a.bc#@",
            "https://a.bc/://a@b",
        ] {
            assert_eq!(check_url(url, &["https"]), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_the_parser_would_forgive_is_refused() {
        for path in [
            "a b",
            "a\u{1}b",
            "a\u{7f}b",
            "a\u{85}b",
            "a\\b",
            "a\nb",
            "a\u{3000}b",
        ] {
            let url = format!("https://a.bc/{path}");
            assert!(Url::parse(&url).is_ok(), "{path:?}");
            assert_eq!(check_url(&url, &["https"]), Err(Code::URL), "{path:?}");
        }
    }

    #[test]
    fn a_host_may_stand_alone() {
        for public in ["example.com", "EXAMPLE.com.", "8.8.8.8", "[2606:4700::1]"] {
            assert!(is_public_host(public), "{public}");
        }
        for private in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "a.internal",
            "a b",
            "",
            "printer.LAN.",
        ] {
            assert!(!is_public_host(private), "{private}");
        }
    }
}
