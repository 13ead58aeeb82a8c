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
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Code::URL_CREDENTIALS);
    }
    if url.host_str().is_none_or(str::is_empty) {
        Err(Code::URL)
    } else {
        Ok(())
    }
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
}
