//! Forwarded addresses: whatever a client writes, it is who our own proxy says, and a stranger is who the
//! socket says.
#![no_main]

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seawall_web::request::{ClientIp, ForwardedHeader, RequestHead};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// Whose word counts, by which header, and the line in which our proxy tells of the client.
static CASES: LazyLock<[(ClientIp, &str); 2]> = LazyLock::new(|| {
    let behind = |header| ClientIp::behind(["10.0.0.0/8"], header).expect("it is a network");
    [
        (behind(ForwardedHeader::XForwardedFor), "198.51.100.7"),
        (behind(ForwardedHeader::Forwarded), "for=198.51.100.7;proto=https"),
    ]
});

fuzz_target!(|text: &[u8]| {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for (client_ip, ours) in CASES.iter() {
        let stranger = Head { lines: lines.clone(), peer: STRANGER };
        assert_eq!(client_ip.resolve(&stranger), Ok(STRANGER));
        let alone = Head { lines: lines.clone(), peer: PROXY };
        assert!(client_ip.resolve(&alone).is_ok());
        let told = Head {
            lines: [&lines[..], &[ours.as_bytes()]].concat(),
            peer: PROXY,
        };
        assert_eq!(client_ip.resolve(&told), Ok(CLIENT));
    }
});

/// A request with these lines in whichever header is asked for.
struct Head<'a> {
    lines: Vec<&'a [u8]>,
    peer: IpAddr,
}

impl RequestHead for Head<'_> {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/"
    }

    fn query(&self) -> Option<&str> {
        None
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn header(&self, _: &str) -> Option<&[u8]> {
        self.lines.first().copied()
    }

    fn each_header(&self, _: &str, visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) {
        let _ = self.lines.iter().try_for_each(|line| visit(line));
    }

    fn peer(&self) -> Option<IpAddr> {
        Some(self.peer)
    }

    fn route(&self) -> Option<&str> {
        None
    }

    fn path_param(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn principal(&self) -> Option<&str> {
        None
    }
}
