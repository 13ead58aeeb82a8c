//! The program, asked over a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Running(Child, String);

impl Running {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_quickstart-actix"))
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let mut line = String::new();
        let out = child.stdout.take().expect("it was piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let address = line
            .trim()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        Self(child, address)
    }

    /// Sends what Ctrl-C sends, and tells whether it ended well.
    fn interrupted(mut self) -> bool {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        sent.is_ok_and(|sent| sent.success()) && self.0.wait().is_ok_and(|ended| ended.success())
    }

    fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.1).expect("it listens");
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_cleans_refuses_limits_and_tells_its_health() {
    let service = Running::start();
    let user = r#"{"email": " Ada@Example.COM", "name": "Ada"}"#;

    let created = service.ask("POST /users", user);
    assert!(created.starts_with("HTTP/1.1 200"), "{created}");
    assert!(
        created.ends_with(r#"{"email":"ada@example.com","name":"Ada"}"#),
        "{created}"
    );
    assert!(
        created.contains("x-ratelimit-remaining: 59\r\n"),
        "{created}"
    );

    let refused = service.ask("POST /users", r#"{"email": "ada"}"#);
    assert!(refused.starts_with("HTTP/1.1 422"), "{refused}");
    for part in ["invalid_email", "required", r#""request_id":"req_"#] {
        assert!(refused.contains(part), "{part}: {refused}");
    }

    // One a second comes back meanwhile, so how many it takes is the machine's affair.
    let mut answers = (0..600).map(|_| service.ask("POST /users", user));
    let limited = answers.find(|answer| answer.starts_with("HTTP/1.1 429"));
    let limited = limited.expect("a minute's quota is used up in less");
    assert!(limited.contains("retry-after: 1\r\n"), "{limited}");

    let alive = service.ask("GET /livez", "");
    assert!(alive.starts_with("HTTP/1.1 200"), "{alive}");

    assert!(service.interrupted(), "Ctrl-C ends it");
}
