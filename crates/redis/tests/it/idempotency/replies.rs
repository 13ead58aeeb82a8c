//! Replies that get lost: the server has done what it was asked, and nobody knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use seawall_idempotency::{
    Idempotency, IdempotencyKey, Lost, Outcome, Policy, Reserved, Run, Settled, Store,
    StoreFailure, Token,
};
use seawall_redis::RedisStore;

use super::{ask, completed, completion, token};
use crate::support::{Proxy, Server, patient};

/// A server, the way on which replies get lost, a store on that way, and one that asks directly.
async fn start() -> Option<(Server, Arc<Proxy>, RedisStore, RedisStore)> {
    let server = Server::start(&[])?;
    let proxy = Arc::new(Proxy::before(&server).await);
    let through = patient(proxy.url()).connect().await.unwrap();
    let direct = patient(server.url()).connect().await.unwrap();
    // The scripts are known then, so that it is not the question for them that gets lost.
    for nonce in [1, 2] {
        let warm = token(&through, ask(0, nonce)).await;
        let settled = match nonce {
            1 => through.release(warm).await,
            _ => through.complete(&completion(warm, b"warm")).await,
        };
        assert_eq!(settled.unwrap(), Settled::Done);
    }
    Some((server, proxy, through, direct))
}

fn is_unavailable(error: seawall_redis::Error) -> bool {
    StoreFailure::from(error).is_unavailable()
}

#[tokio::test]
async fn who_never_heard_that_it_has_the_record_asks_again_and_has_it() {
    let Some((_server, proxy, through, direct)) = start().await else {
        return;
    };
    proxy.lose_next_reply();
    assert!(is_unavailable(
        through.reserve(ask(1, 1)).await.unwrap_err()
    ));
    assert!(proxy.has_lost());
    // The server did it: for everybody else the record is taken.
    let answer = direct.reserve(ask(1, 2)).await.unwrap();
    assert!(matches!(answer, Reserved::InProgress { .. }), "{answer:?}");
    let answer = through.reserve(ask(1, 1)).await.unwrap();
    let Reserved::Acquired { fence, attempt: 1 } = answer else {
        panic!("{answer:?}")
    };
    let held = Token::new(ask(1, 1).id, fence, ask(1, 1).nonce);
    let settled = through.complete(&completion(held, b"once")).await;
    assert_eq!(settled.unwrap(), Settled::Done);
    assert_eq!(direct.reserve(ask(1, 3)).await.unwrap(), completed(b"once"));
}

#[tokio::test]
async fn who_never_heard_that_it_is_completed_completes_again_and_it_is() {
    let Some((_server, proxy, through, direct)) = start().await else {
        return;
    };
    let held = token(&through, ask(1, 1)).await;
    proxy.lose_next_reply();
    let lost = through.complete(&completion(held, b"once")).await;
    assert!(is_unavailable(lost.unwrap_err()));
    assert!(proxy.has_lost());
    assert_eq!(direct.reserve(ask(1, 2)).await.unwrap(), completed(b"once"));
    let again = through.complete(&completion(held, b"once")).await.unwrap();
    assert_eq!(again, Settled::Done);
    let other = through.complete(&completion(held, b"twice")).await.unwrap();
    assert_eq!(other, Settled::Lost(Lost::Completed));
    assert_eq!(direct.reserve(ask(1, 2)).await.unwrap(), completed(b"once"));
}

#[tokio::test]
async fn who_never_heard_that_it_is_released_releases_nobody_else() {
    let Some((_server, proxy, through, direct)) = start().await else {
        return;
    };
    let held = token(&through, ask(1, 1)).await;
    proxy.lose_next_reply();
    assert!(is_unavailable(through.release(held).await.unwrap_err()));
    assert!(proxy.has_lost());
    let again = through.release(held).await.unwrap();
    assert_eq!(again, Settled::Lost(Lost::Gone));
    let other = token(&direct, ask(1, 2)).await;
    assert!(other.fence > held.fence);
    let again = through.release(held).await.unwrap();
    assert_eq!(again, Settled::Lost(Lost::TakenOver));
    let done = direct.complete(&completion(other, b"other")).await.unwrap();
    assert_eq!(done, Settled::Done);
}

#[tokio::test]
async fn work_runs_once_whichever_reply_is_lost() {
    let Some((_server, proxy, through, direct)) = start().await else {
        return;
    };
    let policy = Policy::at_most_once();
    let front = Idempotency::new(through, policy.clone()).unwrap();
    let other = Idempotency::new(direct, policy).unwrap();
    let ran = AtomicUsize::new(0);
    for (name, at_reserve, at_complete) in [
        ("neither", false, false),
        ("reserve", true, false),
        ("complete", false, true),
        ("both", true, true),
    ] {
        let key = IdempotencyKey::new(name).unwrap();
        ran.store(0, Ordering::SeqCst);
        let work = |_| async {
            ran.fetch_add(1, Ordering::SeqCst);
            if at_complete {
                proxy.lose_next_reply();
            }
            Ok::<_, std::io::Error>(Outcome::new(name))
        };
        if at_reserve {
            proxy.lose_next_reply();
        }
        let first = front.run(&key, b"", work).await.unwrap();
        assert_eq!(first, Run::Executed(Outcome::new(name)));
        assert!(proxy.has_lost());
        let replay = other.run(&key, b"", work).await.unwrap();
        assert_eq!(replay, Run::Replayed(Outcome::new(name)));
        assert_eq!(ran.load(Ordering::SeqCst), 1, "{name}");
    }
}
