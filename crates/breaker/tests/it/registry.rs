//! A breaker for each key, and no more than there is room for.

use crate::fail;
use seawall_breaker::{CircuitBreaker, Registry, RegistryFull, State};
use std::sync::Arc;

fn registry(capacity: usize) -> Registry<String> {
    Registry::new(capacity, CircuitBreaker::consecutive(2)).unwrap()
}

#[test]
fn one_key_has_one_breaker_and_keys_fail_apart() {
    let hosts = registry(10);
    let first = hosts.get("a").unwrap();
    assert!(Arc::ptr_eq(&first, &hosts.get("a").unwrap()));
    fail(&first);
    fail(&first);
    assert_eq!(hosts.get("a").unwrap().state(), State::Open);
    assert_eq!(hosts.get("b").unwrap().state(), State::Closed);
    assert_eq!(hosts.len(), 2);
}

#[test]
fn a_flood_of_keys_stays_within_the_bound_and_forgets_no_trouble() {
    for capacity in [1, 3, 64, 200] {
        let hosts = registry(capacity);
        let suspicious = hosts.get("suspicious").unwrap();
        fail(&suspicious);
        drop(suspicious);
        for n in 0..3_000 {
            let _ = hosts.get(&format!("host {n}"));
        }
        assert!(hosts.len() <= capacity);
        assert_eq!(
            hosts.get("suspicious").unwrap().snapshot().counts.failures,
            1
        );
    }
}

#[test]
fn breakers_in_use_or_open_are_not_evicted() {
    let hosts = registry(2);
    let held = hosts.get("held").unwrap();
    let open = hosts.get("open").unwrap();
    open.force_open();
    drop(open);
    let full: RegistryFull = hosts.get("new").unwrap_err();
    assert_eq!(
        full.to_string(),
        "no circuit breaker can be spared for a new key"
    );
    drop(held);
    hosts.get("new").unwrap();
    assert!(hosts.peek("held").is_none());
    assert_eq!(hosts.peek("open").unwrap().state(), State::ForcedOpen);
}

#[test]
fn what_was_asked_for_lately_goes_last() {
    let hosts = registry(3);
    for host in ["oldest", "busy", "idle", "new"] {
        hosts.get(host).unwrap();
    }
    // Room for the last was made by looking at all, which forgave each once.
    assert!(hosts.peek("oldest").is_none());
    hosts.get("busy").unwrap();
    hosts.get("newer").unwrap();
    assert!(hosts.peek("busy").is_some());
    assert!(hosts.peek("idle").is_none());
}

#[test]
fn names_are_the_templates_unless_asked_for() {
    let plain: Registry<u64> =
        Registry::new(4, CircuitBreaker::consecutive(2).name("tenant")).unwrap();
    assert_eq!(plain.get(&7).unwrap().name(), "tenant");
    let named = registry(4).name_by(|host| format!("host {host}"));
    assert_eq!(named.get("a").unwrap().name(), "host a");
    let mut seen = Vec::new();
    named.for_each(|key, breaker| seen.push((key.clone(), breaker.name().to_owned())));
    assert_eq!(seen, [("a".to_owned(), "host a".to_owned())]);
}

#[test]
fn a_template_that_does_not_build_is_refused_at_once() {
    let error = Registry::<u64>::new(4, CircuitBreaker::consecutive(0)).unwrap_err();
    assert_eq!(error.key(), "trip.failures");
    let error = Registry::<u64>::new(0, CircuitBreaker::consecutive(1)).unwrap_err();
    assert_eq!(error.key(), "capacity");
}

#[test]
fn threads_that_ask_at_once_get_the_same_breaker() {
    let hosts = registry(100);
    let found: Vec<Arc<CircuitBreaker>> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| hosts.get("a").unwrap()))
            .collect();
        asking
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(found.iter().all(|breaker| Arc::ptr_eq(breaker, &found[0])));
}
