//! A case: what is broken, what is asked, and what axum is known to answer.

use std::net::Ipv4Addr;

use crate::answer::Answer;
use crate::shop::Shop;

/// Requests on one connection, from an address of its own.
pub(crate) struct Case {
    name: String,
    faults: Vec<(&'static str, &'static str)>,
    requests: Vec<(&'static str, Vec<u8>)>,
    way: Way,
    statuses: Vec<u16>,
    connections: usize,
}

impl Case {
    /// What is answered with these statuses, in order.
    pub(crate) fn new(name: impl Into<String>, statuses: &[u16]) -> Self {
        Self {
            name: name.into(),
            faults: Vec::new(),
            requests: Vec::new(),
            way: Way::InTurn,
            statuses: statuses.to_vec(),
            connections: 1,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn statuses(&self) -> &[u16] {
        &self.statuses
    }

    /// While the component behaves like this.
    pub(crate) fn while_(mut self, component: &'static str, fault: &'static str) -> Self {
        self.faults.push((component, fault));
        self
    }

    /// Asks one thing more on the same connection.
    pub(crate) fn then(mut self, request: &Request) -> Self {
        self.requests.push((request.method, request.bytes()));
        self
    }

    /// Sends all of it before anything is read.
    pub(crate) fn pipelined(mut self) -> Self {
        self.way = Way::Pipelined;
        self
    }

    /// Asks the whole of it on so many connections at once.
    pub(crate) fn at_once(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    pub(crate) fn ask(&self, shop: &Shop, number: usize) -> Vec<Answer> {
        for (component, fault) in &self.faults {
            shop.set(component, fault);
        }
        let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
        let from = Ipv4Addr::new(127, 77, high, low.wrapping_add(1).max(1));
        let converse = || self.converse(shop, from);
        let mut answers: Vec<Answer> = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(converse))
                .collect();
            asked
                .into_iter()
                .flat_map(|asked| asked.join().unwrap())
                .collect()
        });
        for (component, _) in &self.faults {
            shop.set(component, r#"{"mode":"ok"}"#);
        }
        if self.connections > 1 {
            let counted = ["ratelimit", "x-ratelimit-remaining"];
            let whoever = |answer: Answer| answer.without(&counted);
            answers = answers.into_iter().map(whoever).collect();
            answers.sort_by_key(|answer| format!("{answer:?}"));
        }
        answers
    }

    /// Until everything is answered, or the shop has closed.
    fn converse(&self, shop: &Shop, from: Ipv4Addr) -> Vec<Answer> {
        let mut connection = shop.connect(from);
        if self.way == Way::Pipelined {
            for (_, bytes) in &self.requests {
                connection.send(bytes);
            }
        }
        let mut answers = Vec::new();
        for (method, bytes) in &self.requests {
            if self.way != Way::Pipelined {
                connection.send(bytes);
            }
            let Some(answer) = Answer::read(&mut connection, method) else {
                break;
            };
            answers.push(match self.way {
                Way::InTurn => answer,
                // Actix has read the last request by then, and writes that one's `close` on all of them.
                Way::Pipelined => answer.without(&["connection"]),
            });
        }
        // Every last request asks for the end.
        while connection.read_more() {}
        if !connection.unread.is_empty() {
            answers.extend(Answer::read(&mut connection, ""));
        }
        answers
    }

    pub(crate) fn is_as_expected(&self, answers: &[Answer]) -> bool {
        let statuses = answers.iter().map(|answer| answer.status);
        statuses.eq(self.statuses.iter().copied())
    }
}

/// How requests and answers follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    InTurn,
    Pipelined,
}

/// A request, as bytes on the wire.
#[derive(Clone)]
pub(crate) struct Request {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Clone)]
enum Body {
    None,
    Whole(Vec<u8>),
    Chunked(Vec<u8>),
    /// Fewer bytes than were announced.
    Short(Vec<u8>, usize),
}

impl Request {
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: Vec::new(),
            body: Body::None,
        }
    }

    pub(crate) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").body(body)
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Whole(body.into());
        self
    }

    pub(crate) fn chunked(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Chunked(body.into());
        self
    }

    /// Announces more than is sent.
    pub(crate) fn short(mut self, body: impl Into<Vec<u8>>, announced: usize) -> Self {
        self.body = Body::Short(body.into(), announced);
        self
    }

    /// The last on its connection.
    pub(crate) fn last(self) -> Self {
        self.header("connection", "close")
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nhost: shop.example\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = |length: usize| format!("content-length: {length}\r\n\r\n");
        match &self.body {
            Body::None => text.push_str("\r\n"),
            Body::Whole(body) => text.push_str(&length(body.len())),
            Body::Short(_, announced) => text.push_str(&length(*announced)),
            Body::Chunked(_) => text.push_str("transfer-encoding: chunked\r\n\r\n"),
        }
        let mut bytes = text.into_bytes();
        match &self.body {
            Body::None => {}
            Body::Whole(body) | Body::Short(body, _) => bytes.extend_from_slice(body),
            Body::Chunked(body) => {
                for chunk in body.chunks(100) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        bytes
    }
}
