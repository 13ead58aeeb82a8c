//! A client that pays, and comes again until it is told how that went.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time;

use super::{AMOUNT, Order};
use crate::answer::Answer;
use crate::audit::{Audit, Speaker};
use crate::client::{Call, Client, Unanswered, connect};
use crate::figures::Tally;

pub(super) const PATH: &str = "/api/payments";

pub(crate) fn call(order: &Order) -> Call {
    Call::post(PATH)
        .header("idempotency-key", &order.key)
        .json(order.body(AMOUNT))
}

/// Pays from one address.
pub(super) struct Payer<'a> {
    pub(super) from: Ipv4Addr,
    pub(super) to: SocketAddr,
    pub(super) audit: &'a Audit,
}

/// How it went for one order.
#[derive(Default)]
pub(super) struct Told {
    /// The receipt, and whether it came with the mark of a repetition.
    pub(super) receipt: Option<(Answer, bool)>,
    /// How long it took from the first try.
    pub(super) after: Duration,
    /// Answers that neither say how it went nor to come again.
    pub(super) wrong: Tally,
}

impl Payer<'_> {
    /// Sends once.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Unanswered> {
        let mut client = Client::new(self.from, self.to).patience(PATIENCE);
        let result = client.send(call).await;
        self.audit.note(&call.label(), Speaker::Service, &result);
        result
    }

    /// Sends until there is a receipt, as a client does that wants to know.
    pub(super) async fn settle(&self, order: &Order, within: Duration) -> Told {
        let (call, start) = (call(order), Instant::now());
        let mut told = Told::default();
        let mut client = Client::new(self.from, self.to).patience(PATIENCE);
        while start.elapsed() < within {
            let result = client.send(&call).await;
            self.audit.note(&call.label(), Speaker::Service, &result);
            match result {
                Ok(answer) if answer.status == 201 => {
                    let replayed = answer.header("idempotent-replayed") == Some("true");
                    told.receipt = Some((answer, replayed));
                    break;
                }
                Ok(answer) if !matches!(answer.status, 409 | 503 | 504) => {
                    told.wrong.note(|| answer.excerpt());
                }
                _ => {}
            }
            time::sleep(AGAIN).await;
        }
        told.after = start.elapsed();
        told
    }

    /// Sends all of a request, or only its beginning, and keeps the connection open for as long as
    /// what is returned lives.
    pub(super) async fn begin(&self, order: &Order, whole: bool) -> io::Result<TcpStream> {
        let request = order.request(self.to);
        let half = request.len() - order.body(AMOUNT).len() / 2;
        let sent = if whole { &request } else { &request[..half] };
        let mut stream = connect(self.from, self.to).await?;
        stream.write_all(sent.as_bytes()).await?;
        Ok(stream)
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

/// A client would wait for as long as it is told to; storm has less time.
const AGAIN: Duration = Duration::from_millis(50);
