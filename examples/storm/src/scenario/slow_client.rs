//! Clients that hold connections without doing their part.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, join, join_all, join5};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time;

use super::{Field, Scenario};
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client, connect};
use crate::figures::{Check, Figures, Strike, Tally, percentile};
use crate::service::{Service, Side, Trouble};

pub(super) struct SlowClient;

impl Scenario for SlowClient {
    fn name(&self) -> &'static str {
        "slow-client"
    }

    fn claim(&self) -> &'static str {
        "who holds a connection without doing his part loses it on time, and others are served"
    }

    fn sends(&self) -> &'static str {
        "silent connections, heads and bodies that trickle, answers that nobody reads, and HTTP/2 \
         streams that are reset at once, to a shop of its own with limits of some 400 ms"
    }

    fn strike<'a>(&'a self, field: &'a Field<'a>) -> BoxFuture<'a, Result<Strike, Trouble>> {
        strike(field).boxed()
    }
}

const LIMIT: Duration = Duration::from_millis(400);

/// How much later than the limit a connection may end: a limit of 400 ms is looked at as often.
const LEEWAY: Duration = Duration::from_millis(1100);

const SETTINGS: &str = "[server]\nheader_timeout = \"400ms\"\nidle_timeout = \"400ms\"\n\
    write_timeout = \"400ms\"\nbody_timeout = \"400ms\"\n";

async fn strike(field: &Field<'_>) -> Result<Strike, Trouble> {
    let shop = field
        .private(field.service.side, SETTINGS, &field.store.apart())
        .await?;
    let strike = at(field, &shop.service).await;
    shop.stop().await;
    strike
}

async fn at(field: &Field<'_>, service: &Service) -> Result<Strike, Trouble> {
    let audit = field.audit();
    let each = field.length.pick(16, 6);
    // Each of these has megabytes of buffers to fill.
    let unreading = field.length.pick(4, 2);
    field.progress.expect(4 * each + unreading);
    let to = service.api;
    let done = watch::Sender::new(false);
    let attack = async {
        let held = join5(
            crowd_of(field, each, silent, to),
            crowd_of(field, each, |stream| trickle(stream, HEAD), to),
            crowd_of(field, each, |stream| trickle(stream, BODY), to),
            unread(field, unreading, to),
            crowd_of(field, each, resets, to),
        )
        .await;
        done.send_replace(true);
        held
    };
    let (held, (served, failed)) = join(attack, neighbour(field, service, &audit, &done)).await;
    let (silent, heads, bodies, unread, resets) = held;

    let mut figures = Figures::default();
    let mut checks = Vec::new();
    let (mut freed_in_all, mut all) = (0, 0);
    let soon = LIMIT + LEEWAY;
    for (name, what, ends, within) in [
        (
            "silent_connections_closed",
            "silent connections",
            &silent,
            soon,
        ),
        (
            "trickled_heads_closed",
            "connections whose head trickles",
            &heads,
            soon,
        ),
        (
            "trickled_bodies_closed",
            "connections whose body trickles",
            &bodies,
            soon,
        ),
        (
            "unread_answers_closed",
            "connections whose answers nobody reads",
            &unread,
            fill(service.side),
        ),
        (
            "rapid_resets_closed",
            "connections of rapid resets",
            &resets,
            soon,
        ),
    ] {
        let mut ended: Vec<Duration> = ends.iter().copied().flatten().collect();
        ended.sort_unstable();
        let each = ends.len();
        all += each;
        freed_in_all += ended.len();
        figures.add(name, ended.len());
        checks.push(Check::new(
            format!("{what} that end"),
            format!("{each} of {each} within {} ms", within.as_millis()),
            format!(
                "{} of {each}, the last after {} ms",
                ended.len(),
                percentile(&ended, 100).as_millis()
            ),
            ended.len() == each && percentile(&ended, 100) <= within,
        ));
    }
    figures.add("neighbour_served", served);
    checks.push(Check::new(
        "requests of a neighbour meanwhile that failed",
        "none",
        failed.to_string(),
        failed.count == 0 && served > 0,
    ));
    audit.figures(&mut figures);
    checks.extend(audit.checks());
    let stay = silent.iter().filter(|end| end.is_none()).count();
    let controls = vec![Check::new(
        "control: silent connections that the bare service keeps",
        each.to_string(),
        stay.to_string(),
        stay == each,
    )];
    Ok(Strike {
        requests: audit.requests(),
        headline: format!("{freed_in_all} of {all} connections freed"),
        figures,
        checks,
        controls,
        ..Strike::default()
    })
}

/// So many clients at once; when each connection ended, if it did in time.
async fn crowd_of<F: Future<Output = ()>>(
    field: &Field<'_>,
    each: usize,
    play: impl Fn(TcpStream) -> F,
    to: SocketAddr,
) -> Vec<Option<Duration>> {
    join_all((0..each).map(|_| async {
        let Ok(stream) = connect(field.addresses.take(), to).await else {
            return None;
        };
        let start = Instant::now();
        let ended = time::timeout(LIMIT + LEEWAY, play(stream)).await;
        field.progress.step();
        ended.ok().map(|()| start.elapsed())
    }))
    .await
}

/// Says nothing until the other side has closed.
pub(crate) async fn silent(stream: TcpStream) {
    until_closed(stream).await;
}

const HEAD: &str = "GET /api/users/1 HTTP/1.1\r\nhost: shop\r\n";
const BODY: &str = "POST /api/users HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\
    content-type: application/json\r\ncontent-length: 100000\r\n\r\n{\"email\":\"";

/// Begins as told and goes on with a few bytes at a time, which fit into a head and into a body.
pub(crate) async fn trickle(stream: TcpStream, beginning: &str) {
    let (reader, mut writer) = stream.into_split();
    let writing = async {
        let mut sent = writer.write_all(beginning.as_bytes()).await;
        while sent.is_ok() {
            time::sleep(Duration::from_millis(40)).await;
            sent = writer.write_all(b"x: y\r\n").await;
        }
    };
    let reading = drained(reader);
    tokio::select! {
        () = writing => {}
        () = reading => {}
    }
}

/// Asks and asks on one connection, and reads none of the answers.
async fn unread(field: &Field<'_>, each: usize, to: SocketAddr) -> Vec<Option<Duration>> {
    let request = "GET /api/search?q=sea HTTP/1.1\r\nhost: shop\r\n\r\n".repeat(64);
    join_all((0..each).map(|_| async {
        let socket = TcpSocket::new_v4().ok()?;
        // A small window, so that the service is held after few answers.
        socket.set_recv_buffer_size(4096).ok()?;
        socket
            .bind(SocketAddr::from((field.addresses.take(), 0)))
            .ok()?;
        let mut stream = socket.connect(to).await.ok()?;
        let mut held = None;
        let mut at = 0;
        // The service stops reading once it cannot write. From then on its limit runs.
        let ended = time::timeout(fill(field.service.side), async {
            loop {
                match time::timeout(HELD, stream.write(&request.as_bytes()[at..])).await {
                    Ok(Ok(written)) => {
                        at = (at + written) % request.len();
                        held = None;
                    }
                    Ok(Err(_)) => return,
                    Err(_) => {
                        held.get_or_insert_with(Instant::now);
                    }
                }
            }
        })
        .await;
        field.progress.step();
        let since = held.unwrap_or_else(Instant::now);
        ended.ok().map(|()| since.elapsed())
    }))
    .await
}

/// How long a write waits before the service counts as held.
const HELD: Duration = Duration::from_millis(100);

/// How long it may take to fill the buffers of the system, and to be cut: megabytes, in small answers.
/// When the service has begun to wait cannot be seen from here, since it still answers what it had read
/// before. The bare service never cuts, so there is nothing to wait for.
fn fill(side: Side) -> Duration {
    match side {
        Side::Bare => LIMIT + LEEWAY,
        Side::Hardened => Duration::from_secs(15),
    }
}

/// Opens streams and resets them at once.
async fn resets(stream: TcpStream) {
    let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frame(&mut frames, 4, 0, 0, &[]);
    for number in 0..2000_u32 {
        let id = 2 * number + 1;
        // :method GET, :scheme http, :path /, :authority x, from the static table of HPACK.
        frame(&mut frames, 1, 5, id, &[0x82, 0x86, 0x84, 0x41, 1, b'x']);
        frame(&mut frames, 3, 0, id, &8_u32.to_be_bytes());
    }
    let (reader, mut writer) = stream.into_split();
    let _ = writer.write_all(&frames).await;
    drained(reader).await;
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("storm's frames are small");
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

async fn until_closed(stream: TcpStream) {
    let (reader, _writer) = stream.into_split();
    drained(reader).await;
}

/// Ready when the other side has closed, in whatever way.
async fn drained(mut reader: tokio::net::tcp::OwnedReadHalf) {
    let mut sink = [0; 4096];
    while matches!(reader.read(&mut sink).await, Ok(read) if read > 0) {}
}

/// Somebody who behaves, on a connection of his own.
async fn neighbour(
    field: &Field<'_>,
    service: &Service,
    audit: &Audit,
    done: &watch::Sender<bool>,
) -> (usize, Tally) {
    let mut client = Client::new(field.addresses.take(), service.api);
    let (mut served, mut failed) = (0, Tally::default());
    let mut done = done.subscribe();
    let call = Call::get("/api/users/2");
    while !*done.borrow_and_update() {
        let result = client.send(&call).await;
        audit.note(&call.label(), Speaker::Service, &result);
        match result {
            Ok(answer) if answer.status == 200 => served += 1,
            Ok(answer) => failed.note(|| answer.status.to_string()),
            Err(unanswered) => failed.note(|| unanswered.name().to_owned()),
        }
        let _ = time::timeout(Duration::from_millis(65), done.changed()).await;
    }
    (served, failed)
}
