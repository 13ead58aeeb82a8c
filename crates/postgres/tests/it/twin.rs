//! The same random calls over this store and over memory come to the same verdicts.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use seawall_ratelimit::{
    Algorithm, Charge, Grant, KeyBuf, ManualClock, MemoryStore, Now, Op, Quota, Store, Verdict,
};

use crate::support::{Postgres, patient, unique};

/// A small generator, so that a failure is found again by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }
}

fn quotas() -> Vec<Quota> {
    let periods = [
        Duration::from_micros(7),
        Duration::from_secs(1),
        Duration::from_secs(3_601),
        Quota::LONGEST_PERIOD,
    ];
    let limits = [0, 1, 3, 1_000, u32::MAX];
    let mut quotas = Vec::new();
    for (period, limit) in periods
        .into_iter()
        .flat_map(|p| limits.map(|limit| (p, limit)))
    {
        let windows = [Algorithm::SlidingWindow, Algorithm::FixedWindow];
        quotas.extend(Quota::new(limit, period).into_iter().flat_map(|quota| {
            std::iter::once(quota).chain(windows.map(|kind| quota.with_algorithm(kind)))
        }));
    }
    quotas
}

#[tokio::test]
async fn memory_and_this_store_agree() {
    let Some(postgres) = Postgres::find() else {
        return;
    };
    let clock = Arc::new(ManualClock::new());
    let store = patient(postgres.url())
        .conformance_clock(Arc::clone(&clock))
        .connect()
        .await
        .unwrap();
    store.migrate().await.unwrap();
    agree(&store, &clock, 200).await;
}

async fn agree<S: Store>(store: &S, clock: &Arc<ManualClock>, rounds: u64) {
    let memory = MemoryStore::builder().clock(Arc::clone(clock)).build();
    let quotas = quotas();
    let run = unique();
    for round in 1..=rounds {
        let mut dice = Dice(round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let scope = KeyBuf::new().push(&run).push(round.to_string());
        let mut now = 1_700_000_000_000_000 + dice.roll(1 << 50);
        let few = [dice.one(&quotas), dice.one(&quotas)];
        // Memory keeps a slot for a key that was given everything back, and the moment of that in it:
        // a clock that is set back finds it there, where others find no key at all.
        let jumps = round % 2 == 0;
        let mut grant = None;
        for step in 0..12 {
            // Mostly forward by parts of a period, sometimes back a little, sometimes far.
            let period = u64::try_from(dice.one(&few).period().as_micros()).unwrap();
            now = match dice.roll(8) {
                0 if jumps => now - dice.roll(period.min(1_000_000)),
                1 => now + 3 * period,
                2..4 => now,
                _ => now + dice.roll(period),
            };
            clock.set(Now::at(Duration::from_micros(now)));
            let op = dice.one(if jumps { &OPS[..6] } else { &OPS });
            // Keys do not repeat within a call: there, what is reported of a denial may differ.
            let count = 1 + dice.roll(3);
            let subjects: Vec<_> = (0..count).map(|i| format!("subject-{i}")).collect();
            let charges: Vec<_> = subjects
                .iter()
                .map(|subject| {
                    let quota = dice.one(&few);
                    let half = quota.burst() / 2 + 1;
                    let cost = dice.one(&[1, 1, 2, half, quota.burst(), u32::MAX]);
                    let cost = NonZeroU32::new(cost).unwrap_or(NonZeroU32::MIN);
                    let block =
                        dice.one(&[None, None, Some(Duration::ZERO), Some(quota.period() * 2)]);
                    Charge::new(scope.as_ref(), subject.as_bytes(), quota, cost)
                        .shadow(dice.roll(4) == 0)
                        .with_block_for(block)
                        .with_grant(grant)
                })
                .collect();
            let (mut ours, mut theirs) = (vec![Verdict::UNKNOWN; charges.len()], Vec::new());
            theirs.clone_from(&ours);
            let at = store.decide(op, &charges, &mut ours).await.unwrap();
            memory.decide(op, &charges, &mut theirs).await.unwrap();
            assert_eq!(
                ours, theirs,
                "round {round}, step {step}, {op:?} at {now}: {charges:?}"
            );
            grant = Some(Grant {
                at,
                reset: ours[0].reset(),
                source: seawall_ratelimit::Source::Store,
            })
            .filter(|_| dice.roll(3) > 0);
        }
    }
}

const OPS: [Op; 8] = [
    Op::Consume,
    Op::Consume,
    Op::Consume,
    Op::ConsumeUpTo,
    Op::Peek,
    Op::BlockFor,
    Op::Refund,
    Op::Reset,
];
