//! Ids: shape, order, and what is accepted from outside.

use std::{collections::HashSet, thread};

use proptest::prelude::*;
use seawall_errors::RequestId;

#[test]
fn a_generated_id_is_req_and_a_uuid_of_version_7() {
    let id = RequestId::generate();
    let digits = id.as_str().strip_prefix("req_").unwrap();
    assert_eq!(digits.len(), 32);
    assert!(
        digits
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    );
    assert_eq!(&digits[12..13], "7");
    assert!("89ab".contains(&digits[16..17]));
    assert_eq!(RequestId::from_trusted(id.as_bytes()), Some(id));
}

#[test]
fn ids_of_a_thread_ascend() {
    let ids: Vec<_> = (0..10_000).map(|_| RequestId::generate()).collect();
    assert!(
        ids.windows(2)
            .all(|pair| pair[0].as_str() < pair[1].as_str())
    );
}

#[test]
fn ids_of_many_threads_are_distinct() {
    let threads: Vec<_> = (0..8)
        .map(|_| thread::spawn(|| (0..2000).map(|_| RequestId::generate()).collect::<Vec<_>>()))
        .collect();
    let ids: HashSet<_> = threads
        .into_iter()
        .flat_map(|ids| ids.join().unwrap())
        .collect();
    assert_eq!(ids.len(), 16_000);
}

#[test]
fn trusted_ids_are_short_plain_words() {
    let longest = "a".repeat(64);
    for good in ["a", "req_abc123", "0.A-_z", &longest] {
        let id = RequestId::from_trusted(good.as_bytes()).unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), (good, good));
    }
    let too_long = "a".repeat(65);
    for bad in [
        "",
        " ",
        "a b",
        "a\r\nb",
        "a\tlevel=error",
        "é",
        "a/b",
        "a=b",
        "\0",
        &too_long,
    ] {
        assert_eq!(RequestId::from_trusted(bad.as_bytes()), None, "{bad:?}");
    }
    assert_eq!(RequestId::from_trusted(b"\xff"), None);
}

#[test]
fn equality_is_of_the_text() {
    let (a, b) = (
        RequestId::from_trusted(b"ab").unwrap(),
        RequestId::from_trusted(b"abc").unwrap(),
    );
    assert_ne!(a, b);
    assert_eq!(a, a.clone());
    assert_eq!(HashSet::from([a.clone(), a, b]).len(), 2);
}

proptest! {
    #[test]
    fn what_is_accepted_is_kept_as_it_is(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
        let good = (1..=64).contains(&bytes.len()) && bytes.iter().all(plain);
        let id = RequestId::from_trusted(&bytes);
        prop_assert_eq!(id.map(|id| id.as_bytes().to_vec()), good.then_some(bytes));
    }
}
