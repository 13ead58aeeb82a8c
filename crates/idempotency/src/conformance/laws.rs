//! The laws one by one.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use super::support::{
    LEASE, RETENTION, TICK, acquire, again, all, complete, completed, fingerprint, fresh, nonce,
    release, renew, reserve, taking_over,
};
use crate::store::{Caps, Completion, Lost, Reserve, Reserved, Settled, Store, Token, Wait};

/// Checks the laws L1 to L6, L8 and L9. `advance` moves the store's clock on.
///
/// # Panics
///
/// Panics where the store breaks a law.
pub async fn laws(store: &impl Store, mut advance: impl FnMut(Duration)) {
    let advance: &mut dyn FnMut(Duration) = &mut advance;
    overlapping_reserves_have_one_owner(store).await;
    overlapping_takeovers_have_one_owner(store, advance).await;
    a_lapsed_lease_has_a_policy(store, advance).await;
    a_late_owner_without_a_rival_completes(store, advance).await;
    fences_increase(store, advance).await;
    what_is_completed_stays(store, advance).await;
    refusals_change_nothing(store, advance).await;
    any_bytes_come_back(store).await;
    a_lease_is_renewed_and_given_up(store, advance).await;
    tokens_are_not_guessed(store).await;
    repeating_is_safe(store, advance).await;
    dropped_calls_are_safe(store).await;
    short_cuts_are_the_same_calls(store).await;
    changes_are_not_waited_for_when_they_are_there(store).await;
    sweeping_removes_what_has_expired(store, advance).await;
}

async fn overlapping_reserves_have_one_owner(store: &impl Store) {
    for _ in 0..8 {
        let ask = fresh();
        let answers = all((0..16).map(|_| reserve(store, again(ask))).collect()).await;
        let is_acquired = |answer: &&Reserved| matches!(answer, Reserved::Acquired { .. });
        let is_refused = |answer: &&Reserved| matches!(answer, Reserved::InProgress { .. });
        let acquired = answers.iter().filter(is_acquired).count();
        let refused = answers.iter().filter(is_refused).count();
        assert_eq!(
            (acquired, refused),
            (1, 15),
            "L1: of reserves that overlap one acquires: {answers:?}"
        );
    }
}

async fn overlapping_takeovers_have_one_owner(
    store: &impl Store,
    advance: &mut dyn FnMut(Duration),
) {
    let ask = fresh();
    let (stale, _) = acquire(store, ask, "a new record is acquired").await;
    advance(LEASE);
    let rivals: Vec<Reserve> = (0..16).map(|_| taking_over(ask)).collect();
    let answers = all(rivals.iter().map(|rival| reserve(store, *rival)).collect()).await;
    let winners: Vec<Token> = rivals
        .iter()
        .zip(&answers)
        .filter_map(|(rival, answer)| match answer {
            Reserved::Acquired { fence, attempt } => {
                assert_eq!(*attempt, 2, "attempts are counted");
                Some(Token::new(rival.id, *fence, rival.nonce))
            }
            Reserved::InProgress { .. } => None,
            other => panic!("L1: a lapsed lease is taken over or has been, got {other:?}"),
        })
        .collect();
    let [owner] = winners[..] else {
        panic!("L1: of takeovers that overlap one acquires: {answers:?}");
    };
    assert!(
        owner.fence > stale.fence,
        "L2: a takeover has a higher fence"
    );
    let lost = Settled::Lost(Lost::TakenOver);
    assert_eq!(
        complete(store, stale, b"stale").await,
        lost,
        "L1: stale complete"
    );
    assert_eq!(release(store, stale).await, lost, "L1: stale release");
    assert_eq!(renew(store, stale, LEASE).await, lost, "L1: stale renewal");
    assert_eq!(complete(store, owner, b"owner").await, Settled::Done, "L1");
    assert_eq!(
        complete(store, stale, b"owner").await,
        lost,
        "L1: even with equal bytes"
    );
    assert_eq!(reserve(store, again(ask)).await, completed(b"owner"), "L1");
}

async fn a_lapsed_lease_has_a_policy(store: &impl Store, advance: &mut dyn FnMut(Duration)) {
    let ask = fresh();
    acquire(store, ask, "a new record is acquired").await;
    advance(LEASE - TICK);
    for ask in [again(ask), taking_over(ask)] {
        let answer = reserve(store, ask).await;
        let left = Reserved::InProgress { lease_left: TICK };
        assert_eq!(answer, left, "L6: a lease lasts to its last millisecond");
    }
    advance(TICK);
    for _ in 0..2 {
        let answer = reserve(store, again(ask)).await;
        let unknown = Reserved::Unknown { attempt: 1 };
        assert_eq!(
            answer, unknown,
            "a lapsed lease is not taken over unless asked"
        );
    }
    let (_, attempt) = acquire(store, taking_over(ask), "one that is asked for, is").await;
    assert_eq!(attempt, 2, "attempts are counted");
    advance(LEASE);
    let (_, attempt) = acquire(store, taking_over(ask), "and again").await;
    assert_eq!(attempt, 3, "attempts are counted");
    advance(RETENTION);
    let (_, attempt) = acquire(store, again(ask), "an expired record is as none").await;
    assert_eq!(attempt, 1, "and its attempts are forgotten");
}

async fn a_late_owner_without_a_rival_completes(
    store: &impl Store,
    advance: &mut dyn FnMut(Duration),
) {
    let ask = fresh();
    let (token, _) = acquire(store, ask, "a new record is acquired").await;
    advance(LEASE * 3);
    assert_eq!(
        renew(store, token, LEASE).await,
        Settled::Done,
        "a late renewal"
    );
    let answer = reserve(store, taking_over(ask)).await;
    let live = matches!(answer, Reserved::InProgress { .. });
    assert!(
        live,
        "a lease that was renewed late is live, got {answer:?}"
    );
    advance(LEASE * 3);
    assert_eq!(
        complete(store, token, b"late").await,
        Settled::Done,
        "a late complete"
    );
    assert_eq!(reserve(store, again(ask)).await, completed(b"late"));
}

async fn fences_increase(store: &impl Store, advance: &mut dyn FnMut(Duration)) {
    let ask = fresh();
    let mut last = 0;
    for round in 0..12 {
        let (token, _) = acquire(store, taking_over(ask), "the record can be had").await;
        assert!(token.fence > last, "L2: fences increase, round {round}");
        last = token.fence;
        match round % 4 {
            // After deletion, a takeover, an expiry and an expiry of a completed one.
            0 => assert_eq!(release(store, token).await, Settled::Done),
            1 => advance(LEASE),
            2 => advance(RETENTION),
            _ => {
                assert_eq!(complete(store, token, b"x").await, Settled::Done);
                advance(RETENTION);
            }
        }
    }
}

async fn what_is_completed_stays(store: &impl Store, advance: &mut dyn FnMut(Duration)) {
    let ask = fresh();
    let (token, _) = acquire(store, ask, "a new record is acquired").await;
    assert_eq!(complete(store, token, b"one").await, Settled::Done);
    let answers = all((0..8).map(|_| reserve(store, again(ask))).collect()).await;
    for answer in answers {
        assert_eq!(answer, completed(b"one"), "L5: a later reserve sees it");
    }
    let lost = Settled::Lost(Lost::Completed);
    assert_eq!(
        complete(store, token, b"two").await,
        lost,
        "L3: another complete"
    );
    assert_eq!(
        complete(store, token, b"").await,
        lost,
        "L3: an empty complete"
    );
    assert_eq!(release(store, token).await, lost, "L3: a release");
    assert_eq!(renew(store, token, LEASE).await, lost, "L3: a renewal");
    assert_eq!(
        renew(store, token, Duration::ZERO).await,
        lost,
        "L3: giving up"
    );
    advance(LEASE);
    assert_eq!(
        reserve(store, ask).await,
        completed(b"one"),
        "L3: own nonce"
    );
    advance(RETENTION - LEASE - TICK);
    let answer = reserve(store, taking_over(ask)).await;
    assert_eq!(answer, completed(b"one"), "L3: to the last millisecond");
    advance(TICK);
    let gone = Settled::Lost(Lost::Gone);
    assert_eq!(
        complete(store, token, b"one").await,
        gone,
        "an expired record is none"
    );
    let other = Reserve {
        fingerprint: fingerprint(2),
        ..again(ask)
    };
    acquire(store, other, "an expired record is none, whatever it said").await;
}

async fn refusals_change_nothing(store: &impl Store, advance: &mut dyn FnMut(Duration)) {
    let ask = fresh();
    let other = |ask| Reserve {
        fingerprint: fingerprint(2),
        ..taking_over(ask)
    };
    let (token, _) = acquire(store, ask, "a new record is acquired").await;
    advance(LEASE / 2);
    for _ in 0..3 {
        assert_eq!(
            reserve(store, other(ask)).await,
            Reserved::Mismatch,
            "in flight"
        );
        let answer = reserve(store, taking_over(ask)).await;
        let left = Reserved::InProgress {
            lease_left: LEASE / 2,
        };
        assert_eq!(answer, left, "L4: asking does not renew a lease");
    }
    advance(LEASE / 2);
    for _ in 0..3 {
        assert_eq!(
            reserve(store, other(ask)).await,
            Reserved::Mismatch,
            "lapsed"
        );
        let answer = reserve(store, again(ask)).await;
        assert_eq!(answer, Reserved::Unknown { attempt: 1 }, "L4");
    }
    assert_eq!(
        complete(store, token, b"mine").await,
        Settled::Done,
        "L4: still the owner's"
    );
    for _ in 0..3 {
        assert_eq!(
            reserve(store, other(ask)).await,
            Reserved::Mismatch,
            "completed"
        );
        assert_eq!(reserve(store, again(ask)).await, completed(b"mine"), "L4");
    }
    advance(RETENTION - LEASE);
    acquire(store, other(ask), "L4: nor does asking keep a record").await;
}

async fn any_bytes_come_back(store: &impl Store) {
    let every: Vec<u8> = (0..=255).collect();
    let large = every.repeat(256);
    let always = vec![0; Caps::ALWAYS_FITS];
    for payload in [&b""[..], b"\0", b"'; --", &every, &always, &large] {
        if payload.len() > store.caps().largest {
            continue;
        }
        let ask = fresh();
        let (token, _) = acquire(store, ask, "a new record is acquired").await;
        assert_eq!(complete(store, token, payload).await, Settled::Done);
        let answer = reserve(store, again(ask)).await;
        assert!(
            answer == completed(payload),
            "L3: {} bytes come back",
            payload.len()
        );
    }
}

async fn a_lease_is_renewed_and_given_up(store: &impl Store, advance: &mut dyn FnMut(Duration)) {
    let ask = fresh();
    let (token, _) = acquire(store, ask, "a new record is acquired").await;
    for _ in 0..5 {
        advance(LEASE - TICK);
        assert_eq!(renew(store, token, LEASE).await, Settled::Done);
        let answer = reserve(store, taking_over(ask)).await;
        let left = Reserved::InProgress { lease_left: LEASE };
        assert_eq!(answer, left, "a renewed lease is as long as was asked");
    }
    assert_eq!(renew(store, token, Duration::ZERO).await, Settled::Done);
    let answer = reserve(store, again(ask)).await;
    assert_eq!(
        answer,
        Reserved::Unknown { attempt: 1 },
        "a lease given up has lapsed"
    );
    let (second, _) = acquire(store, taking_over(ask), "and is taken over").await;
    assert_eq!(release(store, second).await, Settled::Done);
    let (third, attempt) = acquire(store, again(ask), "a released record is none").await;
    assert_eq!(attempt, 1, "a release forgets the attempts");
    assert_eq!(renew(store, third, RETENTION * 2).await, Settled::Done);
    advance(RETENTION);
    acquire(store, again(ask), "no lease outlives its record").await;
}

async fn tokens_are_not_guessed(store: &impl Store) {
    let ask = fresh();
    let none = Token::new(ask.id, 1, ask.nonce);
    let gone = Settled::Lost(Lost::Gone);
    assert_eq!(
        complete(store, none, b"x").await,
        gone,
        "there is no such record"
    );
    assert_eq!(release(store, none).await, gone, "there is no such record");
    assert_eq!(
        renew(store, none, LEASE).await,
        gone,
        "there is no such record"
    );
    let (token, _) = acquire(store, ask, "nothing was made by that").await;
    let (fence, lost) = (token.fence, Settled::Lost(Lost::TakenOver));
    let wrong = [
        Token::new(ask.id, fence, nonce()),
        Token::new(ask.id, fence + 1, ask.nonce),
        Token::new(ask.id, fence.wrapping_sub(1), ask.nonce),
    ];
    for wrong in wrong {
        assert_eq!(complete(store, wrong, b"x").await, lost, "L1: {wrong:?}");
        assert_eq!(release(store, wrong).await, lost, "L1: {wrong:?}");
        assert_eq!(renew(store, wrong, LEASE).await, lost, "L1: {wrong:?}");
    }
    assert_eq!(complete(store, token, b"mine").await, Settled::Done, "L1");
}

async fn repeating_is_safe(store: &impl Store, advance: &mut dyn FnMut(Duration)) {
    let ask = fresh();
    let (token, _) = acquire(store, ask, "a new record is acquired").await;
    for _ in 0..3 {
        let (same, attempt) = acquire(store, ask, "L8: the reply was lost").await;
        assert_eq!((same, attempt), (token, 1), "L8: and nothing has changed");
    }
    advance(LEASE);
    let taking = ask.on_lapse(crate::OnLapse::TakeOver);
    let (same, _) = acquire(store, taking, "L8: late, with no rival").await;
    assert_eq!(same, token, "L8: nobody takes over from itself");
    for _ in 0..3 {
        let settled = complete(store, token, b"done").await;
        assert_eq!(settled, Settled::Done, "L8: the same complete again");
    }
    let other = fresh();
    let (token, _) = acquire(store, other, "a new record is acquired").await;
    assert_eq!(release(store, token).await, Settled::Done);
    let again = release(store, token).await;
    assert_eq!(
        again,
        Settled::Lost(Lost::Gone),
        "L8: the same release again"
    );
    acquire(store, other, "a nonce that was released can be used again").await;
}

async fn dropped_calls_are_safe(store: &impl Store) {
    let (unpolled, polled) = (fresh(), fresh());
    drop(store.reserve(unpolled));
    let answer = reserve(store, again(unpolled)).await;
    let acquired = matches!(answer, Reserved::Acquired { .. });
    assert!(
        acquired,
        "a call that was never polled has done nothing, got {answer:?}"
    );
    {
        let mut begun = pin!(store.reserve(polled));
        let _ = begun.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let (token, _) = acquire(store, polled, "L8: whoever was dropped asks again").await;
    let completion = Completion::new(token, bytes::Bytes::from_static(b"done"));
    {
        let mut begun = pin!(store.complete(&completion));
        let _ = begun.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let settled = complete(store, token, b"done").await;
    assert_eq!(
        settled,
        Settled::Done,
        "L8: whoever was dropped completes again"
    );
}

async fn short_cuts_are_the_same_calls(store: &impl Store) {
    let ask = fresh();
    let answer = match store.reserve_now(ask) {
        Some(answer) => answer.unwrap_or_else(|e| panic!("the store answers: {e}")),
        None => reserve(store, ask).await,
    };
    let Reserved::Acquired { fence, .. } = answer else {
        panic!("a reserve that did not answer at once has done nothing, got {answer:?}");
    };
    let token = Token::new(ask.id, fence, ask.nonce);
    let settled = match store.renew_now(token, LEASE) {
        Some(settled) => settled.unwrap_or_else(|e| panic!("the store answers: {e}")),
        None => renew(store, token, LEASE).await,
    };
    assert_eq!(settled, Settled::Done, "both ways renew in one memory");
    let completion = Completion::new(token, bytes::Bytes::from_static(b"now"));
    let settled = match store.complete_now(&completion) {
        Some(settled) => settled.unwrap_or_else(|e| panic!("the store answers: {e}")),
        None => complete(store, token, b"now").await,
    };
    assert_eq!(settled, Settled::Done, "both ways complete in one memory");
    assert_eq!(reserve(store, again(ask)).await, completed(b"now"));
    if let Some(settled) = store.release_now(token) {
        let settled = settled.unwrap_or_else(|e| panic!("the store answers: {e}"));
        assert_eq!(settled, Settled::Lost(Lost::Completed), "L3");
    }
}

async fn changes_are_not_waited_for_when_they_are_there(store: &impl Store) {
    let ask = fresh();
    let (token, _) = acquire(store, ask, "a new record is acquired").await;
    assert_eq!(complete(store, token, b"done").await, Settled::Done);
    // A store that hears of changes returns at once; another sleeps for a millisecond.
    let wait = Wait::new(TICK, Duration::from_secs(3600));
    store.changed(ask.id, wait).await;
    store.changed(fresh().id, wait).await;
}

async fn sweeping_removes_what_has_expired(store: &impl Store, advance: &mut dyn FnMut(Duration)) {
    let sweep = async || {
        let mut swept = 0;
        loop {
            let more = store
                .sweep(64)
                .await
                .unwrap_or_else(|e| panic!("the store answers: {e}"));
            assert!(more <= 64, "L9: no more are swept than asked");
            swept += more;
            if more == 0 {
                return swept;
            }
        }
    };
    let (done, open) = (fresh(), fresh());
    let (token, _) = acquire(store, done, "a new record is acquired").await;
    assert_eq!(complete(store, token, b"kept").await, Settled::Done);
    acquire(store, open, "a new record is acquired").await;
    advance(RETENTION - TICK);
    sweep().await;
    assert_eq!(reserve(store, again(done)).await, completed(b"kept"), "L9");
    let answer = reserve(store, again(open)).await;
    assert_eq!(
        answer,
        Reserved::Unknown { attempt: 1 },
        "L9: a lapsed record is no expired one"
    );
    advance(TICK);
    sweep().await;
    for ask in [done, open] {
        let (_, attempt) = acquire(store, again(ask), "an expired record is none").await;
        assert_eq!(attempt, 1, "an expired record is none");
    }
}
