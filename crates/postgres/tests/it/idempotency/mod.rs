//! Records of operations: the laws, transactions of the user's, servers and processes that stop and die.

mod faults;
mod laws;
mod locks;
mod processes;
mod proxy;
mod records;
mod transactions;

use seawall_idempotency::{
    Completion, Fingerprint, IdempotencyKey, Nonce, RecordId, Reserve, Reserved, Settled, Store,
    Token,
};
use seawall_postgres::PostgresStore;
use tokio_postgres::{Client, NoTls};

fn key(name: impl Into<String>) -> IdempotencyKey {
    IdempotencyKey::new(name.into()).unwrap()
}

/// Asks for a record that no other run asks for, if `run` is this run's.
fn ask(run: &str, nonce: u64) -> Reserve {
    let id = RecordId::from_bytes(*Fingerprint::of(run.as_bytes()).as_bytes());
    Reserve::new(id, Fingerprint::of(b""), Nonce::from_u64(nonce))
}

/// The same question of another attempt.
fn by(mut ask: Reserve, nonce: u64) -> Reserve {
    ask.nonce = Nonce::from_u64(nonce);
    ask
}

async fn token(store: &PostgresStore, ask: Reserve) -> Token {
    match store.reserve(ask).await.unwrap() {
        Reserved::Acquired { fence, .. } => Token::new(ask.id, fence, ask.nonce),
        other => panic!("{other:?}"),
    }
}

async fn complete(store: &PostgresStore, token: Token, payload: &'static [u8]) -> Settled {
    let completion = Completion::new(token, payload.into());
    store.complete(&completion).await.unwrap()
}

/// A connection of the user's own.
async fn client(url: impl AsRef<str>) -> Client {
    let (client, connection) = tokio_postgres::connect(url.as_ref(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn number(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.unwrap().get(0)
}
