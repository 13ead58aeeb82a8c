//! A shop on one of the frameworks, and a client of each case's own address.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Framework {
    Axum,
    Actix,
}

/// A running shop with small limits; killed when dropped.
pub(crate) struct Shop {
    api: SocketAddr,
    admin: SocketAddr,
    child: Child,
    _config: tempfile::NamedTempFile,
}

/// Small enough that every refusal is reached in a moment, and large enough that none is by chance.
const CONFIG: &str = r#"
body_limit = 4096

[limits]
api = "30/hour"
expensive_operation = "3/hour"
send_email = "4/hour"
builds = "3/hour"

[deadlines]
search = "400ms"
database = "300ms"
dashboard = "300ms"
total = "3s"

[breaker]
consecutive_failures = 3
open_for = "1h"

[server]
body_timeout = "700ms"
header_timeout = "2s"
"#;

impl Shop {
    pub(crate) fn start(framework: Framework) -> Self {
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(CONFIG.as_bytes()).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_shop"))
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .args(["--framework", &format!("{framework:?}").to_lowercase()])
            .arg("--config")
            .arg(config.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |prefix: &str| -> SocketAddr {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(prefix).unwrap().parse().unwrap()
        };
        let shop = Self {
            api: address("listening on http://"),
            admin: address("admin on http://"),
            child,
            _config: config,
        };
        shop.wait_until_it_has_looked_around();
        shop
    }

    /// What probes say changes while the first checks are under way.
    fn wait_until_it_has_looked_around(&self) {
        for _ in 0..600 {
            let mut connection = self.connect(Ipv4Addr::LOCALHOST);
            connection.send(b"GET /health HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
            while connection.read_more() {}
            if connection.unread.ends_with(br#"{"status":"pass"}"#) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the shop does not get well");
    }

    /// Connects from this address.
    pub(crate) fn connect(&self, from: Ipv4Addr) -> Connection {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&self.api.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        Connection {
            stream,
            unread: Vec::new(),
        }
    }

    /// Makes a component behave like this from now on.
    pub(crate) fn set(&self, component: &str, fault: &str) {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        let (admin, length) = (self.admin, fault.len());
        write!(
            stream,
            "PUT /faults/{component} HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{fault}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection, and what has been read of it and not been taken.
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) unread: Vec<u8>,
}

impl Connection {
    /// A shop that has refused may have closed already; what it said is read all the same.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads on; `false` once the shop has closed.
    pub(crate) fn read_more(&mut self) -> bool {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece) {
            Ok(0) => false,
            Ok(read) => {
                self.unread.extend_from_slice(&piece[..read]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("neither answered nor closed: {error}"),
        }
    }
}
