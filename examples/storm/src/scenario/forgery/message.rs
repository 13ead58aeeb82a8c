//! Signed requests, good and bad, written by hand: nothing here comes from the code under test.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use shop::domain::signature_of;

use crate::client::raw::Piece;

/// The route that a payment provider calls: the body is signed, and nothing else.
pub(crate) const PAYMENT: &str = "/api/webhooks/payment";

/// The route that our own services call: everything is signed.
pub(crate) const SIGNED: &str = "/api/webhooks/signed";

pub(crate) const HOST: &str = "shop.example";

/// A request in the making.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) target: String,
    pub(crate) host: String,
    /// Each value a line of `X-Signature`.
    pub(crate) signatures: Vec<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn new(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            target: target.to_owned(),
            host: HOST.to_owned(),
            signatures: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn with(mut self, signature: impl Into<Vec<u8>>) -> Self {
        self.signatures.push(signature.into());
        self
    }

    /// Signs the body, as the payment provider does.
    pub(crate) fn plain(self, secret: &str) -> Self {
        let signature = signature_of(secret, &self.body);
        self.with(signature)
    }

    /// Signs everything, as our own services do.
    pub(crate) fn native(self, secret: &str, stamp: &Stamp) -> Self {
        let signature = stamp.header(&stamp.mac(secret, &self));
        self.with(signature)
    }

    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let mut bytes = self.head(&format!("content-length: {}", self.body.len()));
        bytes.extend_from_slice(&self.body);
        vec![Piece::once(bytes)]
    }

    /// The head, and then a body that says of itself neither its length nor its end.
    pub(crate) fn endless(&self) -> Vec<Piece> {
        let mut chunk = b"10000\r\n".to_vec();
        chunk.resize(chunk.len() + 0x1_0000, b'{');
        chunk.extend_from_slice(b"\r\n");
        vec![
            Piece::once(self.head("transfer-encoding: chunked")),
            Piece {
                bytes: Bytes::from(chunk),
                times: ENDLESS / 0x1_0000,
            },
            Piece::once("0\r\n\r\n"),
        ]
    }

    fn head(&self, length: &str) -> Vec<u8> {
        let (target, host) = (&self.target, &self.host);
        let mut head = format!("POST {target} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
        head.extend_from_slice(b"content-type: application/json\r\n");
        for signature in &self.signatures {
            head.extend_from_slice(b"x-signature: ");
            head.extend_from_slice(signature);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(length.as_bytes());
        head.extend_from_slice(b"\r\n\r\n");
        head
    }
}

/// How much an endless body is: as much as a service may be asked to swallow in a scenario's time.
pub(crate) const ENDLESS: usize = 32 << 20;

/// What makes a signed message one of its own.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) time: u64,
    pub(crate) nonce: String,
    pub(crate) key: &'static str,
}

impl Stamp {
    /// Of this moment.
    pub(crate) fn now(nonce: String) -> Self {
        Self {
            time: now(),
            nonce,
            key: "default",
        }
    }

    /// The bytes that are signed for a message.
    pub(crate) fn canonical(&self, message: &Message) -> Vec<u8> {
        let (path, query) = message
            .target
            .split_once('?')
            .unwrap_or((&message.target, ""));
        let Self { time, nonce, key } = self;
        let host = &message.host;
        let digest = hex(&Sha256::digest(&message.body));
        format!("seawall-sig/v1\nPOST\n{host}\n{path}\n{query}\n{time}\n{nonce}\n{key}\n{digest}")
            .into_bytes()
    }

    pub(crate) fn mac(&self, secret: &str, message: &Message) -> String {
        signature_of(secret, &self.canonical(message))
    }

    pub(crate) fn header(&self, mac: &str) -> String {
        let Self { time, nonce, key } = self;
        format!("t={time},n={nonce},k={key},v1={mac}")
    }
}

pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
