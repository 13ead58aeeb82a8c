//! Four limits over a network: decided in one call, or one after the other.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use seawall_ratelimit::{KeyBuf, Policies, Policy};
use seawall_redis::RedisStore;
use throwaway::{Disk, Kind, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::{LAYERS, key, open};
use crate::area::Case;
use crate::work::{Work, figure};

/// As many requests at a time as a small service has.
const TASKS: usize = 64;
/// Decisions of one task in one round: long enough for a server, which has its own mind about when it
/// runs, to be seen at work.
const DECISIONS: usize = 50;
/// Callers, all of whom come in each round.
const CALLERS: usize = TASKS * DECISIONS;

/// Throughput, as nanoseconds a decision on the wall: the server is who works.
pub(super) fn case() -> Case {
    let server = Rc::new(OnceCell::new());
    let (ours, theirs) = (Rc::clone(&server), server);
    Case::new("redis-four-policies", move || together(&ours))
        .peer("four-calls", move || one_by_one(&theirs))
        .needing(|| {
            let mut programs = Kind::Redis.programs().into_iter();
            programs.try_for_each(|program| match program.find() {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            })
        })
        .rounds(9)
}

type Shared = Rc<OnceCell<Server>>;

/// All four in one call of the store.
fn together(server: &Shared) -> Work {
    let (keep, runtime, store) = connect(server);
    let builder = LAYERS
        .into_iter()
        .fold(Policies::builder(store), |builder, name| {
            builder.policy(policy(name))
        });
    let policies = builder.build().expect("the names differ");
    figure(move || {
        let (_server, policies) = (&keep, policies.clone());
        nanoseconds(&runtime, move |caller| {
            let policies = policies.clone();
            async move {
                let keys = LAYERS.map(|name| Some(subject(name, caller)));
                policies.check(&keys).await.is_allowed()
            }
        })
    })
}

/// The same four, each in a call of its own, over the same kind of connection.
fn one_by_one(server: &Shared) -> Work {
    let (keep, runtime, store) = connect(server);
    let single = LAYERS.map(|name| {
        Policies::builder(store.clone())
            .namespace("apart")
            .policy(policy(name))
            .build()
            .expect("one name is unlike any other")
    });
    figure(move || {
        let (_server, single) = (&keep, single.clone());
        nanoseconds(&runtime, move |caller| {
            let single = single.clone();
            async move {
                let mut allowed = true;
                for (name, policies) in LAYERS.iter().zip(&single) {
                    let keys = [Some(subject(name, caller))];
                    allowed &= policies.check(&keys).await.is_allowed();
                }
                allowed
            }
        })
    })
}

/// Both sides ask one server, which ends with the last of them.
fn connect(server: &Shared) -> (Shared, Runtime, RedisStore) {
    let start = || {
        Server::start(Kind::Redis, Disk::Nothing, &|| false)
            .expect("redis-server, if it is there, starts")
    };
    let url = server.get_or_init(start).url();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime without threads can be had");
    let store = runtime
        .block_on(
            RedisStore::builder(url)
                .operation_timeout(PATIENCE)
                .connect(),
        )
        .expect("the server has answered a moment ago");
    (Rc::clone(server), runtime, store)
}

/// A call that fails open would be fast, and count.
const PATIENCE: Duration = Duration::from_secs(10);

fn policy(name: &str) -> Policy {
    let policy = Policy::new(name, open()).expect("the name is valid");
    policy.on_store_error(seawall_ratelimit::OnStoreError::FailClosed)
}

fn subject(name: &str, caller: usize) -> KeyBuf {
    KeyBuf::new().push(name).push(key(caller))
}

fn nanoseconds<F>(runtime: &Runtime, decide: impl Fn(usize) -> F + Clone + Send + 'static) -> f64
where
    F: Future<Output = bool> + Send,
{
    runtime.block_on(async {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let decide = decide.clone();
            tasks.spawn(async move {
                for turn in 0..DECISIONS {
                    assert!(
                        decide(task * DECISIONS + turn).await,
                        "the quota is wide open"
                    );
                }
            });
        }
        tasks.join_all().await;
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let decisions = CALLERS as f64;
        start.elapsed().as_secs_f64() * 1e9 / decisions
    })
}
