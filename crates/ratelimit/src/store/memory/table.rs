//! A set-associative table of atomic slots: bounded, never swept, never locked for a known key.
//!
//! # Where a key lives
//!
//! Four slots make a bucket. A key has two buckets in the main part, and two in the spill part (a
//! sixteenth of the table), which is used only once both main buckets are full of live keys. A slot
//! whose content has expired is free: nothing needs to be removed.
//!
//! # The protocol
//!
//! - **Read** ([`Table::read`]): load the head, then tag and words beside it, then the head again. If
//!   the head is the same, all of it belongs together, because everything but the head changes only
//!   while the head is [`BUSY`], and each such change ends with another generation.
//! - **Update** ([`Table::replace`]): compare-and-swap the head. It fails if anything happened since
//!   the read, a change of keys included.
//! - **Insert** ([`Table::insert`]): under the lock of the key's stripe, so that no key gets two
//!   slots, look again; then take a slot over: swap its head to `BUSY`, write tag and words, and
//!   release the head with the next generation. The lock excludes neither readers nor updates, nor
//!   inserts of other stripes, which may want the same slot: the swap decides.
//!
//! A denial reads only. `models.rs` checks the protocol under loom and shuttle.

use std::marker::PhantomData;

use crate::store::memory::slot::{Content, Layout, Narrow};
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering, lock, spin_loop, yield_now, zeroed};

pub(super) struct Table<L> {
    words: Box<[AtomicU64]>,
    /// Words before the first slot, so that buckets do not straddle cache lines.
    skip: usize,
    main: u64,
    spill: u64,
    spilled: AtomicBool,
    stripes: Box<[Stripe]>,
    /// Apart from the fields above, which every check reads: a flood of keys writes this often.
    evictions: Box<AtomicU64>,
    layout: PhantomData<fn() -> L>,
}

/// A lock on a cache line of its own, so that inserts of different stripes do not meet.
#[repr(align(64))]
struct Stripe(Mutex<()>);

/// A slot as it was read: position and content belong together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    at: usize,
    content: Content,
}

/// How an insert ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Insert {
    Done,
    /// Somebody else inserted the key meanwhile: read it.
    Exists,
    /// Every slot that could hold the key holds a live one; the first is free at that time.
    Full(u64),
}

/// What an insert does when every slot holds a live key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Takes the slot that expires first.
    Make,
    /// Leaves all as it is.
    Leave,
}

impl<L: Layout> Table<L> {
    /// A table for `keys` live keys at three quarters of its slots.
    pub(super) fn for_keys(keys: usize) -> Self {
        let slots = keys.saturating_add(keys / 3).saturating_add(1);
        let buckets = slots.div_ceil(BUCKET).max(2);
        let spill = (buckets / 16).max(1);
        Self::with_buckets(buckets - spill, spill, STRIPES)
    }

    pub(super) fn with_buckets(main: usize, spill: usize, stripes: usize) -> Self {
        let words = zeroed((main + spill) * BUCKET * L::WORDS + WORDS_OF_LINE);
        let beyond_line = words.as_ptr().addr() % LINE;
        let skip = (LINE - beyond_line) % LINE / size_of::<u64>();
        Self {
            words,
            skip: skip.min(WORDS_OF_LINE),
            main: main as u64,
            spill: spill as u64,
            spilled: AtomicBool::new(false),
            stripes: (0..stripes).map(|_| Stripe(Mutex::new(()))).collect(),
            evictions: Box::new(AtomicU64::new(0)),
            layout: PhantomData,
        }
    }

    /// Bytes of the slots.
    pub(super) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    /// Keys that lost their slot while they still counted.
    pub(super) fn evictions(&self) -> u64 {
        // Relaxed: a figure for operators.
        self.evictions.load(Ordering::Relaxed)
    }

    /// Requests the cache lines of a key, so that they are under way while the clock is read.
    #[inline]
    pub(super) fn touch(&self, tag: u64) {
        let buckets = self.buckets();
        for bucket in [self.first_bucket(tag), self.second_bucket(tag)] {
            // Relaxed: the value is not used. An atomic load is not optimised away.
            buckets[bucket][0].as_ref()[0].load(Ordering::Relaxed);
        }
    }

    /// The slot of a key, if it has one.
    #[inline]
    pub(super) fn read(&self, tag: u64) -> Option<Seen> {
        loop {
            let at = self.find(tag)?;
            let (found, content) = Self::content(&self.slots()[at]);
            if found == tag {
                return Some(Seen { at, content });
            }
            // The slot changed its key between the two looks.
        }
    }

    /// Writes `next` over what was seen; `false` if anything has changed since.
    #[inline]
    pub(super) fn replace(&self, seen: &Seen, next: Content) -> bool {
        let (head, old) = (self.head(seen.at), seen.content);
        if next.beside == old.beside {
            let next = generation::<L>(old.head) | next.head;
            // AcqRel: continues the release of whoever wrote the words beside the head.
            return head
                .compare_exchange(old.head, next, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok();
        }
        if !self.seize(seen.at, old.head) {
            return false;
        }
        self.release(seen.at, old.head, next);
        true
    }

    /// Gives the key a slot. `now` is on the clock of [`Layout::expires`].
    pub(super) fn insert(&self, tag: u64, content: Content, now: u64, room: Room) -> Insert {
        let stripe = scale(again(tag), self.stripes.len() as u64);
        let _only_inserter_of_this_key = lock(&self.stripes[index(stripe)].0);
        if self.find(tag).is_some() {
            return Insert::Exists;
        }
        loop {
            let (victim, alive_until) = self.free_slot(tag, now);
            if let Some(until) = alive_until
                && room == Room::Leave
            {
                return Insert::Full(until);
            }
            if !self.seize(victim.at, victim.content.head) {
                continue; // It was charged or taken meanwhile: choose again.
            }
            if alive_until.is_some() {
                self.evictions.fetch_add(1, Ordering::Relaxed);
            }
            // Release: whoever acquires this tag knows that the head is, or was, BUSY.
            self.slots()[victim.at].as_ref()[0].store(tag, Ordering::Release);
            self.release(victim.at, victim.content.head, content);
            return Insert::Done;
        }
    }

    /// How many slots hold the key: never more than one.
    #[cfg(all(test, any(loom, shuttle)))]
    pub(super) fn slots_of(&self, tag: u64) -> usize {
        let holds = |slot: &&L::Slot| slot.as_ref()[0].load(Ordering::Acquire) == tag;
        self.slots().iter().filter(holds).count()
    }

    /// The best slot to take, and until when it is alive if it is.
    fn free_slot(&self, tag: u64, now: u64) -> (Seen, Option<u64>) {
        let main = [self.first_bucket(tag), self.second_bucket(tag)];
        let mut first: Option<(u64, Seen)> = None;
        for (part, buckets) in [main, self.spill_buckets(tag)].iter().enumerate() {
            let mut most_free: Option<(usize, Seen)> = None;
            for bucket in buckets {
                let mut free = 0;
                let mut free_one = None;
                for slot in 0..BUCKET {
                    let at = bucket * BUCKET + slot;
                    let seen = Seen {
                        at,
                        content: Self::content(&self.slots()[at]).1,
                    };
                    let expires = L::expires(seen.content);
                    if expires <= now {
                        free += 1;
                        free_one = free_one.or(Some(seen));
                    }
                    if first.is_none_or(|(earliest, _)| expires < earliest) {
                        first = Some((expires, seen));
                    }
                }
                if let Some(seen) = free_one
                    && most_free.is_none_or(|(most, _)| free > most)
                {
                    most_free = Some((free, seen));
                }
            }
            if let Some((_, seen)) = most_free {
                if part == 1 {
                    // Release, acquired in `find`: who is sent to the spill part by a lookup must
                    // find it. The stripe's lock orders this for inserters of the same key.
                    self.spilled.store(true, Ordering::Release);
                }
                return (seen, None);
            }
        }
        let (until, seen) = first.expect("a bucket has slots");
        (seen, Some(until))
    }

    /// Where the tag stands, without vouching that it still does.
    #[inline]
    fn find(&self, tag: u64) -> Option<usize> {
        let buckets = self.buckets();
        let main = scan::<L>(buckets, self.first_bucket(tag), tag)
            .or_else(|| scan::<L>(buckets, self.second_bucket(tag), tag));
        if main.is_some() || !self.spilled.load(Ordering::Acquire) {
            return main;
        }
        self.find_spilled(tag)
    }

    #[cold]
    fn find_spilled(&self, tag: u64) -> Option<usize> {
        self.spill_buckets(tag)
            .into_iter()
            .find_map(|bucket| scan::<L>(self.buckets(), bucket, tag))
    }

    /// Tag and content of one moment.
    #[inline]
    fn content(slot: &L::Slot) -> (u64, Content) {
        let words = slot.as_ref();
        let mut tries = 0;
        loop {
            // Acquire: sees at least the tag and words that were there when this head was released.
            let head = words[1].load(Ordering::Acquire);
            if head != BUSY {
                // Acquire: if one of these is newer than the head, the second look at the head
                // cannot miss the BUSY that preceded it.
                let tag = words[0].load(Ordering::Acquire);
                let mut beside = [0; 2];
                for (word, beside) in words[2..].iter().zip(&mut beside) {
                    *beside = word.load(Ordering::Acquire);
                }
                if words[1].load(Ordering::Relaxed) == head {
                    return (tag, Content { head, beside });
                }
            }
            wait(&mut tries);
        }
    }

    /// Locks a slot whose head is still `head`.
    #[inline]
    fn seize(&self, at: usize, head: u64) -> bool {
        let word = self.head(at);
        // AcqRel: what is written under the lock stays under it.
        word.compare_exchange(head, BUSY, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Unlocks a slot that was seized at `head`, with `content` and the next generation.
    #[inline]
    fn release(&self, at: usize, head: u64, content: Content) {
        let beside = &self.slots()[at].as_ref()[2..];
        for (word, beside) in beside.iter().zip(content.beside) {
            // Release: whoever acquires this word knows that the head is, or was, BUSY.
            word.store(beside, Ordering::Release);
        }
        self.head(at)
            .store(next_generation::<L>(head) | content.head, Ordering::Release);
    }

    #[inline]
    fn head(&self, at: usize) -> &AtomicU64 {
        &self.slots()[at].as_ref()[1]
    }

    /// The two buckets of a key in the main part.
    #[inline]
    fn first_bucket(&self, tag: u64) -> usize {
        index(scale(tag, self.main))
    }

    #[inline]
    fn second_bucket(&self, tag: u64) -> usize {
        index(scale(again(tag), self.main))
    }

    #[cold]
    fn spill_buckets(&self, tag: u64) -> [usize; 2] {
        let (third, fourth) = (again(!tag), again(tag.rotate_left(32)));
        [third, fourth].map(|hash| index(self.main + scale(hash, self.spill)))
    }

    #[inline]
    fn buckets(&self) -> &[[L::Slot; BUCKET]] {
        self.slots().as_chunks().0
    }

    #[inline]
    fn slots(&self) -> &[L::Slot] {
        L::slots(&self.words[self.skip..])
    }
}

impl Table<Narrow> {
    /// What [`read`](Self::read) finds, if it finds it at the first look: in a main bucket, and at
    /// rest. `None` says nothing.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what a call writes to memory and reads back costs as much as the look"
    )]
    pub(super) fn glance(&self, tag: u64) -> Option<Glance<'_>> {
        let buckets = self.buckets();
        glance(&buckets[self.first_bucket(tag)], tag)
            .or_else(|| glance(&buckets[self.second_bucket(tag)], tag))
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
fn glance(bucket: &[[AtomicU64; 2]; BUCKET], tag: u64) -> Option<Glance<'_>> {
    // Relaxed: only a hint, as in `scan`.
    let holds = |slot: &&[AtomicU64; 2]| slot[0].load(Ordering::Relaxed) == tag;
    let slot = bucket.iter().find(holds)?;
    // Acquire, the tag again, and the head again, as in `content`.
    let head = slot[1].load(Ordering::Acquire);
    let same = slot[0].load(Ordering::Acquire) == tag
        && slot[1].load(Ordering::Relaxed) == head
        && head != BUSY;
    same.then_some(Glance { slot, head })
}

/// A slot of two words as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glance<'t> {
    slot: &'t [AtomicU64; 2],
    head: u64,
}

impl Glance<'_> {
    #[inline]
    pub(super) fn state(&self) -> u64 {
        Narrow::unpack(Content {
            head: self.head,
            beside: [0; 2],
        })
    }

    /// Writes `next` over what was seen. If anything has changed since, then what is there now, unless
    /// the slot may have another key.
    ///
    /// Whoever has lost a race has the cache line to itself for a moment, and wins the next one if it
    /// does not begin from afar.
    #[inline]
    pub(super) fn replace(self, next: u64) -> Result<(), Option<Self>> {
        let generation = generation::<Narrow>;
        let next = generation(self.head) | Narrow::moment(next);
        // AcqRel: as in `Table::replace`. Relaxed: of what is there now, this word is all that is used,
        // and of the same generation it is of the same key.
        self.slot[1]
            .compare_exchange(self.head, next, Ordering::AcqRel, Ordering::Relaxed)
            .map(drop)
            .map_err(|head| {
                let same = head != BUSY && generation(head) == generation(self.head);
                same.then_some(Self { head, ..self })
            })
    }
}

/// The position of the slot among all.
#[inline]
fn scan<L: Layout>(buckets: &[[L::Slot; BUCKET]], bucket: usize, tag: u64) -> Option<usize> {
    // Relaxed: only a hint; `content` reads it again.
    let holds = |slot: &L::Slot| slot.as_ref()[0].load(Ordering::Relaxed) == tag;
    let slot = buckets[bucket].iter().position(holds)?;
    Some(bucket * BUCKET + slot)
}

impl Seen {
    #[inline]
    pub(super) fn state<L: Layout>(&self) -> L::State {
        L::unpack(self.content)
    }
}

#[inline]
fn generation<L: Layout>(head: u64) -> u64 {
    head >> L::GENERATION << L::GENERATION
}

#[inline]
fn next_generation<L: Layout>(head: u64) -> u64 {
    let next = (head >> L::GENERATION).wrapping_add(1) << L::GENERATION;
    // The last generation is left out, so that no head looks like `BUSY`.
    if next >> L::GENERATION == BUSY >> L::GENERATION {
        0
    } else {
        next
    }
}

/// A number below `count` from the upper bits of a hash, without division.
#[inline]
fn scale(hash: u64, count: u64) -> u64 {
    let product = u128::from(hash) * u128::from(count);
    u64::try_from(product >> 64).unwrap_or(0)
}

/// A number that is below the length of something in memory.
#[inline]
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// Another hash from a hash: the multiplier of Knuth's multiplicative hashing, the golden ratio.
#[inline]
const fn again(hash: u64) -> u64 {
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A slot is busy for a handful of stores; whoever holds it longer has lost its processor.
#[cold]
fn wait(tries: &mut u32) {
    *tries += 1;
    if cfg!(any(loom, shuttle)) || *tries > 64 {
        yield_now();
    } else {
        spin_loop();
    }
}

/// The head of a slot that is being rewritten. Layouts spare it.
const BUSY: u64 = u64::MAX;

/// One line of two-word slots. Under a model checker one slot, so that few steps fill a bucket.
const BUCKET: usize = if cfg!(any(loom, shuttle)) { 1 } else { 4 };
const STRIPES: usize = 128;
const LINE: usize = 64;
const WORDS_OF_LINE: usize = LINE / size_of::<u64>();

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::machine::Windows;
    use crate::quota::{Algorithm, Quota};
    use crate::store::memory::slot::Wide;

    fn at(tat: u64) -> Content {
        Narrow::pack(tat, &Quota::per_second(1))
    }

    fn hash(n: u64) -> u64 {
        again(again(n + 1))
    }

    #[test]
    fn holds_as_many_live_keys_as_it_was_made_for() {
        for keys in [1, 10, 1_000, 65_536, 300_000] {
            let table = Table::<Narrow>::for_keys(keys);
            for n in 0..keys as u64 {
                assert_eq!(
                    table.insert(hash(n), at(n + 1), 0, Room::Make),
                    Insert::Done
                );
            }
            assert_eq!(table.evictions(), 0, "{keys} keys");
            for n in 0..keys as u64 {
                let seen = table.read(hash(n)).unwrap();
                assert_eq!(seen.state::<Narrow>(), n + 1);
            }
            assert!(
                table.bytes() <= keys * 22 + 256,
                "{keys} keys: {} bytes",
                table.bytes()
            );
        }
    }

    #[test]
    fn expired_slots_are_free_slots() {
        let table = Table::<Narrow>::for_keys(100);
        for n in 0..100_000 {
            let now = n / 50;
            assert_eq!(
                table.insert(hash(n), at(now + 1), now, Room::Leave),
                Insert::Done
            );
        }
        assert_eq!(table.evictions(), 0);
    }

    #[test]
    fn a_full_table_evicts_who_expires_first_or_nobody() {
        let table = Table::<Narrow>::with_buckets(1, 1, 1);
        for n in 0..8 {
            assert_eq!(
                table.insert(hash(n), at(100 + n), 0, Room::Leave),
                Insert::Done
            );
        }
        assert_eq!(
            table.insert(hash(9), at(200), 0, Room::Leave),
            Insert::Full(100)
        );
        assert_eq!(table.insert(hash(9), at(200), 0, Room::Make), Insert::Done);
        assert_eq!(table.evictions(), 1);
        assert!(table.read(hash(0)).is_none());
        assert!(table.read(hash(1)).is_some());
        assert_eq!(
            table.insert(hash(10), at(200), 101, Room::Leave),
            Insert::Done
        );
        assert!(table.read(hash(1)).is_none());
    }

    #[test]
    fn an_update_fails_once_the_slot_has_changed_its_key() {
        let table = Table::<Narrow>::with_buckets(1, 1, 1);
        for n in 0..8 {
            table.insert(hash(n), at(10), 0, Room::Leave);
        }
        let seen = table.read(hash(0)).unwrap();
        for n in 100..108 {
            table.insert(hash(n), at(10), 10, Room::Leave);
        }
        assert!(!table.replace(&seen, at(11)));
    }

    #[test]
    fn a_wide_slot_rolls_its_window_and_keeps_its_key() {
        let table = Table::<Wide>::for_keys(4);
        let quota = Quota::per_second(5).with_algorithm(Algorithm::FixedWindow);
        let windows = |start, current, earlier| {
            Wide::pack(
                Windows {
                    start,
                    current,
                    earlier,
                },
                &quota,
            )
        };
        assert_eq!(
            table.insert(7, windows(0, 1, 0), 0, Room::Leave),
            Insert::Done
        );
        let first = table.read(7).unwrap();
        assert!(table.replace(&first, windows(0, 2, 0)));
        assert!(!table.replace(&first, windows(0, 3, 0)));
        let second = table.read(7).unwrap();
        assert!(table.replace(&second, windows(1 << 20, 1, 2)));
        let third = table.read(7).unwrap();
        let expected = Windows {
            start: 1 << 20,
            current: 1,
            earlier: 2,
        };
        assert_eq!(third.state::<Wide>(), expected);
        assert_eq!(
            table.insert(7, windows(0, 1, 0), 0, Room::Leave),
            Insert::Exists
        );
    }

    #[test]
    fn generations_spare_the_busy_head() {
        let last_but_one = (BUSY >> Wide::GENERATION) - 1;
        assert_eq!(next_generation::<Wide>(last_but_one << Wide::GENERATION), 0);
        assert_eq!(next_generation::<Narrow>(5 << 52 | 77), 6 << 52);
    }
}
