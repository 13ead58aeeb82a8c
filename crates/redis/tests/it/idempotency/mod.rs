//! Records of operations: the laws, the server's part, faults, and several processes.

mod clock;
mod crashes;
mod failover;
mod laws;
mod memory;
mod processes;
mod replies;
mod server;

use seawall_idempotency::{
    Completion, Fingerprint, Nonce, RecordId, Reserve, Reserved, Settled, Store, Token,
};
use seawall_redis::RedisStore;

use crate::support::{Server, patient};

/// A server of the test's own, and a store on it.
async fn start() -> Option<(Server, RedisStore)> {
    let server = Server::start(&[])?;
    let store = patient(server.url()).connect().await.unwrap();
    Some((server, store))
}

/// The question of attempt `nonce` at operation `id`.
fn ask(id: u64, nonce: u64) -> Reserve {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&id.to_be_bytes());
    let id = RecordId::from_bytes(bytes);
    Reserve::new(id, Fingerprint::of(b""), Nonce::from_u64(nonce))
}

/// Reserves what can be had.
async fn token(store: &RedisStore, ask: Reserve) -> Token {
    match store.reserve(ask).await.unwrap() {
        Reserved::Acquired { fence, .. } => Token::new(ask.id, fence, ask.nonce),
        other => panic!("{other:?}"),
    }
}

fn completion(token: Token, payload: &'static [u8]) -> Completion {
    Completion::new(token, payload.into())
}

async fn complete(store: &RedisStore, token: Token, payload: &'static [u8]) -> Settled {
    store.complete(&completion(token, payload)).await.unwrap()
}

fn completed(payload: &'static [u8]) -> Reserved {
    Reserved::Completed(payload.into())
}
