//! Every forgery that can be sent over HTTP, by the kind of mistake that it hopes for.

use super::message::{HOST, Message, PAYMENT, SIGNED, Stamp, now};
use shop::domain::signature_of;

/// A request that must not be believed.
#[derive(Debug)]
pub(super) struct Attack {
    pub(super) kind: &'static str,
    pub(super) message: Message,
}

const BODY: &[u8] = br#"{"id":"evt_1","paid":true}"#;

/// All of them. `nonce` gives one that nobody had before.
pub(super) fn all(secret: &str, nonce: &dyn Fn() -> String) -> Vec<Attack> {
    let mut list = List {
        secret,
        nonce,
        attacks: Vec::new(),
    };
    list.wrong_bytes();
    list.wrong_forms();
    list.wrong_keys();
    list.wrong_times();
    list.spliced();
    list.downgraded();
    list.repeated();
    list.flooded();
    list.unreadable();
    list.attacks
}

struct List<'a> {
    secret: &'a str,
    nonce: &'a dyn Fn() -> String,
    attacks: Vec<Attack>,
}

impl List<'_> {
    fn add(&mut self, kind: &'static str, message: Message) {
        self.attacks.push(Attack { kind, message });
    }

    fn plain(&self) -> Message {
        Message::new(PAYMENT, BODY).plain(self.secret)
    }

    fn native(&self) -> Message {
        Message::new(SIGNED, BODY).native(self.secret, &self.stamp())
    }

    fn stamp(&self) -> Stamp {
        Stamp::now((self.nonce)())
    }

    /// One byte off, at each position of header and body.
    fn wrong_bytes(&mut self) {
        for make in [Self::plain, Self::native] {
            let good = make(self);
            for at in 0..good.signatures[0].len() {
                let mut message = make(self);
                let byte = &mut message.signatures[0][at];
                *byte = if *byte == b'0' { b'1' } else { b'0' };
                self.add("a wrong byte in the header", message);
            }
            for at in 0..good.body.len() {
                let mut message = make(self);
                message.body[at] ^= 1;
                self.add("a wrong byte in the body", message);
            }
            let mut message = make(self);
            message.body.push(b' ');
            self.add("a byte too many", message);
            let mut message = make(self);
            message.body.pop();
            self.add("a byte too few", message);
        }
    }

    /// The right MAC in a form that is not the one prescribed, or a part of it.
    fn wrong_forms(&mut self) {
        let mac = signature_of(self.secret, BODY);
        let bare = || Message::new(PAYMENT, BODY);
        for length in 0..mac.len() {
            self.add("a MAC cut short", bare().with(&mac[..length]));
        }
        let forms = [
            mac.to_uppercase(),
            format!("sha256={mac}"),
            format!("0x{mac}"),
            format!("\"{mac}\""),
            format!("{mac}00"),
            format!("{mac},"),
            format!("{mac} {mac}"),
            format!("{mac},{mac}"),
            "0".repeat(64),
            "true".to_owned(),
        ];
        for form in forms {
            self.add("a MAC in another form", bare().with(form));
        }
        self.add("no signature", bare());
        self.add("no signature", Message::new(SIGNED, BODY));
        let stamp = self.stamp();
        let message = Message::new(SIGNED, BODY);
        let mac = stamp.mac(self.secret, &message);
        let Stamp { time, nonce, key } = &stamp;
        for form in [
            format!("n={nonce},t={time},k={key},v1={mac}"),
            format!("t={time},n={nonce},v1={mac}"),
            format!("t={time},k={key},v1={mac}"),
            format!("n={nonce},k={key},v1={mac}"),
            format!("t={time}, n={nonce}, k={key}, v1={mac}"),
            format!("t={time},t={time},n={nonce},k={key},v1={mac}"),
            format!("t=0{time},n={nonce},k={key},v1={mac}"),
            format!("t=+{time},n={nonce},k={key},v1={mac}"),
            format!("t={time}.0,n={nonce},k={key},v1={mac}"),
            format!("t={time},n={nonce},k={key},v1={}", mac.to_uppercase()),
            format!("t={time},n={nonce},k={key},v1={}", &mac[..32]),
        ] {
            self.add("a header in another form", message.clone().with(form));
        }
    }

    /// Keys that an attacker knows.
    fn wrong_keys(&mut self) {
        for key in [
            "",
            "secret",
            "webhook_secret",
            "default",
            "0",
            &self.secret[1..],
        ] {
            let plain = Message::new(PAYMENT, BODY).plain(key);
            self.add("another key", plain);
            let native = Message::new(SIGNED, BODY).native(key, &self.stamp());
            self.add("another key", native);
        }
        // A second key's name over the same bytes, as when one of two signatures is stripped.
        for key in ["other", "Default", "default2"] {
            let stamp = Stamp {
                key,
                ..self.stamp()
            };
            let message = Message::new(SIGNED, BODY).native(self.secret, &stamp);
            self.add("a key that is unknown", message);
        }
    }

    fn wrong_times(&mut self) {
        let at = |time| Stamp {
            time,
            ..self.stamp()
        };
        let now = now();
        let stale: Vec<Stamp> = [310, 3600, 86_400, now]
            .into_iter()
            .map(|ago| at(now - ago))
            .collect();
        // Three seconds in which to be sent, at most.
        let ahead: Vec<Stamp> = [70, 3600, 86_400, 900_000_000_000 - now]
            .into_iter()
            .map(|ahead| at(now + ahead))
            .collect();
        let overflowing: Vec<Stamp> = [u64::MAX, i64::MAX as u64, 1_000_000_000_000]
            .into_iter()
            .map(at)
            .collect();
        for (kind, stamps) in [
            ("a stale time", stale),
            ("a time ahead", ahead),
            ("a time that overflows", overflowing),
        ] {
            for stamp in stamps {
                let message = Message::new(SIGNED, BODY).native(self.secret, &stamp);
                self.add(kind, message);
            }
        }
    }

    /// A good signature, on another message.
    fn spliced(&mut self) {
        let mut elsewhere = Vec::new();
        for target in [
            format!("{SIGNED}?"),
            format!("{SIGNED}?live=1"),
            format!("{SIGNED}/"),
            PAYMENT.to_owned(),
        ] {
            let stamp = self.stamp();
            let signed = Message::new(&target, BODY).native(self.secret, &stamp);
            // `?` with nothing behind it is no query, so that one is good where it belongs.
            if target.ends_with('?') {
                continue;
            }
            elsewhere.push(Message {
                target: SIGNED.to_owned(),
                ..signed
            });
        }
        let query = Message {
            target: format!("{SIGNED}?live=1"),
            ..self.native()
        };
        elsewhere.push(query);
        for host in ["other.example", "shop.example:8443", "shop.example."] {
            elsewhere.push(Message {
                host: host.to_owned(),
                ..self.native()
            });
        }
        for message in elsewhere {
            self.add("a signature from elsewhere", message);
        }
        let mut tail = self.native();
        tail.body = br#"{"id":"evt_2","paid":true}"#.to_vec();
        self.add("a signature over another body", tail);
    }

    /// The weaker dialect where the stronger is asked for, and the stronger's bytes as a body.
    fn downgraded(&mut self) {
        self.add(
            "the weaker dialect",
            Message::new(SIGNED, BODY).plain(self.secret),
        );
        let stamp = self.stamp();
        let message = Message::new(SIGNED, BODY);
        let mac = stamp.mac(self.secret, &message);
        let Stamp { time, nonce, key } = &stamp;
        for version in ["v0", "v2", "V1", "v1a", "sha256", "none", "h1"] {
            let header = format!("t={time},n={nonce},k={key},{version}={mac}");
            self.add("another version", message.clone().with(header));
        }
        let header = format!("t={time},n={nonce},k={key},v0={mac},v1={mac}");
        self.add("another version", message.clone().with(header));
        let canonical = Message::new(PAYMENT, stamp.canonical(&message)).with(mac);
        self.add("signed bytes as a body", canonical);
    }

    /// Two headers, of which a careless reader looks at one.
    fn repeated(&mut self) {
        for make in [Self::plain, Self::native] {
            let good = make(self);
            let bad = vec![b'0'; 64];
            let twice = good.signatures[0].clone();
            self.add("the header twice", good.clone().with(twice));
            self.add("the header twice", good.clone().with(bad.clone()));
            let mut last = good.clone();
            last.signatures.insert(0, bad);
            self.add("the header twice", last);
            self.add("the header twice", good.with(""));
        }
    }

    /// Many candidates, one of them right.
    fn flooded(&mut self) {
        for many in [2, 8, 9, 64, 100] {
            let mac = signature_of(self.secret, BODY);
            let mut candidates = vec!["0".repeat(64); many];
            candidates[many - 1] = mac;
            let message = Message::new(PAYMENT, BODY).with(candidates.join(","));
            self.add("a flood of candidates", message);

            let stamp = self.stamp();
            let message = Message::new(SIGNED, BODY);
            let mut candidates = vec![format!("v1={}", "0".repeat(64)); many];
            candidates[many - 1] = format!("v1={}", stamp.mac(self.secret, &message));
            let Stamp { time, nonce, key } = &stamp;
            let header = format!("t={time},n={nonce},k={key},{}", candidates.join(","));
            self.add("a flood of candidates", message.with(header));
        }
    }

    /// Bytes that are no text.
    fn unreadable(&mut self) {
        for target in [PAYMENT, SIGNED] {
            for header in [
                &b"\xff\xfe\xfd"[..],
                b"t=\xc3\x28",
                &[0x80; 64],
                b"\xe2\x82",
                "\u{ff10}".repeat(64).as_bytes(),
            ] {
                let message = Message::new(target, BODY).with(header);
                self.add("a header that is no text", message);
            }
        }
        for make in [Self::plain, Self::native] {
            let mut message = make(self);
            message.body = b"\xff\xfe\x00\x80".to_vec();
            self.add("a body that is no text", message);
            let mut message = make(self);
            message.body = Vec::new();
            self.add("no body", message);
        }
    }
}

/// Messages that must be believed: each kind with what it is to show.
pub(super) fn good(secret: &str, nonce: &dyn Fn() -> String) -> Vec<Attack> {
    let stamp = || Stamp::now(nonce());
    let at = |time| Stamp { time, ..stamp() };
    let plain = |body: &[u8]| Message::new(PAYMENT, body).plain(secret);
    let native = |body: &[u8], stamp: Stamp| Message::new(SIGNED, body).native(secret, &stamp);
    let query = Message::new(&format!("{SIGNED}?live=1&x=%2F"), BODY);
    let port = Message {
        host: format!("{HOST}:8443"),
        ..Message::new(SIGNED, BODY)
    };
    let long = vec![b'x'; 200_000];
    [
        ("plain", plain(BODY)),
        ("plain, again", plain(BODY)),
        ("plain, no body", plain(b"")),
        ("plain, no text", plain(b"\xff\xfe\x00\x80")),
        ("plain, long", plain(&long)),
        ("signed", native(BODY, stamp())),
        ("signed, no body", native(b"", stamp())),
        ("signed, no text", native(b"\xff\xfe\x00\x80", stamp())),
        ("signed, long", native(&long, stamp())),
        ("signed, minutes ago", native(BODY, at(now() - 280))),
        ("signed, a clock ahead", native(BODY, at(now() + 50))),
        ("signed, with a query", query.native(secret, &stamp())),
        ("signed, another port", port.native(secret, &stamp())),
    ]
    .into_iter()
    .map(|(kind, message)| Attack { kind, message })
    .collect()
}
