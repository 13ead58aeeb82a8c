//! Lists: the item beyond the maximum is never built.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use serde::de::{Deserializer, SeqAccess};

use super::{Read, ReadSeed};
use crate::cx::Mode;
use crate::path::Step;
use crate::schema::{Schema, Schemas};
use crate::visitor::{self, Take, drain_seq};
use crate::{Code, Cx, Violation};

/// A collection that is filled item by item.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list",
    label = "`items`, `each` and `unique` are for `Vec`, `VecDeque`, `HashSet`, `BTreeSet` and `Box<[T]>`"
)]
pub trait Collection: Sized {
    /// The type of the items.
    type Item;
    /// What is filled; for most, the collection itself.
    type Open;
    /// Whether the collection refuses an item that it holds already.
    const SET: bool = false;

    /// Begins with room for so many, which is a guess.
    fn open(capacity: usize) -> Self::Open;
    /// Adds one; false if it was there and the collection is a set.
    fn add(open: &mut Self::Open, item: Self::Item) -> bool;
    /// Ends.
    fn close(open: Self::Open) -> Self;
    /// Lets the items be put in order, where the collection has one of its own to change.
    fn tidy(_: &mut Self::Open, _: impl FnOnce(&mut Vec<Self::Item>)) {}
    /// The items of a finished collection.
    fn iter(&self) -> impl Iterator<Item = &Self::Item>;
}

impl<T> Collection for Vec<T> {
    type Item = T;
    type Open = Self;

    fn open(capacity: usize) -> Self {
        Self::with_capacity(capacity)
    }

    fn add(open: &mut Self, item: T) -> bool {
        open.push(item);
        true
    }

    fn close(open: Self) -> Self {
        open
    }

    fn tidy(open: &mut Self, tidy: impl FnOnce(&mut Self)) {
        tidy(open);
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        <&Self>::into_iter(self)
    }
}

impl<T> Collection for VecDeque<T> {
    type Item = T;
    type Open = Self;

    fn open(capacity: usize) -> Self {
        Self::with_capacity(capacity)
    }

    fn add(open: &mut Self, item: T) -> bool {
        open.push_back(item);
        true
    }

    fn close(open: Self) -> Self {
        open
    }

    fn tidy(open: &mut Self, tidy: impl FnOnce(&mut Vec<T>)) {
        let mut items = Vec::from(std::mem::take(open));
        tidy(&mut items);
        *open = items.into();
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        <&Self>::into_iter(self)
    }
}

impl<T> Collection for Box<[T]> {
    type Item = T;
    type Open = Vec<T>;

    fn open(capacity: usize) -> Vec<T> {
        Vec::with_capacity(capacity)
    }

    fn add(open: &mut Vec<T>, item: T) -> bool {
        open.push(item);
        true
    }

    fn close(open: Vec<T>) -> Self {
        open.into()
    }

    fn tidy(open: &mut Vec<T>, tidy: impl FnOnce(&mut Vec<T>)) {
        tidy(open);
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        <&Self>::into_iter(self)
    }
}

impl<T: Eq + Hash, S: BuildHasher + Default> Collection for HashSet<T, S> {
    type Item = T;
    type Open = Self;
    const SET: bool = true;

    fn open(_: usize) -> Self {
        Self::default()
    }

    fn add(open: &mut Self, item: T) -> bool {
        open.insert(item)
    }

    fn close(open: Self) -> Self {
        open
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        <&Self>::into_iter(self)
    }
}

impl<T: Ord> Collection for BTreeSet<T> {
    type Item = T;
    type Open = Self;
    const SET: bool = true;

    fn open(_: usize) -> Self {
        Self::new()
    }

    fn add(open: &mut Self, item: T) -> bool {
        open.insert(item)
    }

    fn close(open: Self) -> Self {
        open
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        <&Self>::into_iter(self)
    }
}

/// The collection inside a field's type: `Vec<T>` for `Option<Vec<T>>`.
pub trait ListOf {
    /// The type of the items.
    type Item;
}

impl<C: Collection> ListOf for C {
    type Item = C::Item;
}

impl<C: ListOf> ListOf for Option<C> {
    type Item = C::Item;
}

/// What one field says about its list.
pub trait ItemRules<T> {
    /// The fewest items.
    const MIN: usize;
    /// The most items; none: [`Limits::items`](crate::Limits::items) holds.
    const MAX: Option<usize>;
    /// Whether no item may stand twice.
    const UNIQUE: bool = false;
    /// Whether an item that stands in the list already is left out.
    const DEDUP: bool = false;

    /// Puts a sound list in order.
    fn tidy(_: &mut Vec<T>) {}

    /// The places of the items that stand in the list already.
    #[must_use]
    fn repeated<'a>(_: impl Iterator<Item = &'a T>) -> Vec<usize>
    where
        T: 'a,
    {
        Vec::new()
    }
}

/// The places of the items that were there before; what `unique` generates.
#[doc(hidden)]
pub fn repeated<'a, T: Eq + Hash + 'a>(items: impl Iterator<Item = &'a T>) -> Vec<usize> {
    let mut seen = HashSet::new();
    items
        .enumerate()
        .filter(|(_, item)| !seen.insert(*item))
        .map(|(at, _)| at)
        .collect()
}

/// Keeps the first of equal items; what `dedup` generates.
#[doc(hidden)]
pub fn dedup<T: Eq + Hash>(items: &mut Vec<T>) {
    let mut again = repeated(items.iter()).into_iter().peekable();
    let mut at = 0;
    items.retain(|_| {
        let keep = again.next_if_eq(&at).is_none();
        at += 1;
        keep
    });
}

/// A list by the rules `R`, its items by the rules `E`.
#[derive(Debug)]
pub struct Items<R, E>(PhantomData<(R, E)>);

impl<'de, C, R, E> Read<'de, Items<R, E>> for C
where
    C: Collection,
    C::Item: Read<'de, E>,
    R: ItemRules<C::Item>,
{
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        match cx.mode {
            Mode::Typed => visitor::read(TakeItems::<C, R, E>(PhantomData), d, cx),
            Mode::Text => visitor::read_seq(TakeItems::<C, R, E>(PhantomData), d, cx),
        }
    }

    fn check(&self, cx: &mut Cx<'_>) {
        let mut count = 0;
        for item in self.iter() {
            cx.step(Step::Index(count), |cx| item.check(cx));
            count += 1;
        }
        check_counts::<C, R>(count, cx);
        if R::UNIQUE || R::DEDUP {
            check_repeated::<C, R>(self, cx);
        }
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type("array");
        schema.nest("items", <C::Item as Read<'de, E>>::schema(schemas));
        if R::MIN > 0 {
            schema.set("minItems", R::MIN);
        }
        if let Some(max) = R::MAX {
            schema.set("maxItems", max);
        }
        if R::UNIQUE || R::DEDUP || C::SET {
            schema.set_flag("uniqueItems", true);
        }
        schema
    }
}

fn check_counts<C: Collection, R: ItemRules<C::Item>>(count: usize, cx: &mut Cx<'_>) {
    if count < R::MIN {
        cx.report(Violation::new(Code::TOO_FEW_ITEMS).param("min", R::MIN));
    }
    if let Some(max) = R::MAX.filter(|max| count > *max) {
        cx.report(Violation::new(Code::TOO_MANY_ITEMS).param("max", max));
    }
}

fn check_repeated<C: Collection, R: ItemRules<C::Item>>(list: &C, cx: &mut Cx<'_>) {
    for at in R::repeated(list.iter()) {
        cx.step(Step::Index(at), |cx| cx.fault(Code::DUPLICATE_ITEM));
    }
}

/// How much room a size hint may claim before an item was seen.
const GUESS_BYTES: usize = 4096;

struct TakeItems<C, R, E>(PhantomData<(C, R, E)>);

impl<'de, C, R, E> Take<'de> for TakeItems<C, R, E>
where
    C: Collection,
    C::Item: Read<'de, E>,
    R: ItemRules<C::Item>,
{
    type Out = C;
    const WANTS: Code = Code::TYPE_ARRAY;

    fn seq<A: SeqAccess<'de>>(self, mut items: A, cx: &mut Cx<'_>) -> Result<Option<C>, A::Error> {
        let before = cx.faults();
        let max = R::MAX.unwrap_or(cx.limits().items);
        let room = GUESS_BYTES / size_of::<C::Item>().max(1);
        let mut open = C::open(items.size_hint().unwrap_or(0).min(max).min(room));
        let mut count = 0;
        let mut kept = 0;
        while count < max {
            let read = |cx: &mut Cx<'_>| items.next_element_seed(ReadSeed::<C::Item, E>::new(cx));
            let Some(item) = cx.step(Step::Index(count), read)? else {
                break;
            };
            if let Some(item) = item {
                kept += 1;
                if !C::add(&mut open, item) && !R::DEDUP {
                    cx.step(Step::Index(count), |cx| cx.fault(Code::DUPLICATE_ITEM));
                }
            }
            count += 1;
            cx.go_on()?;
        }
        if count == max && items.next_element_seed(visitor::Drain(cx))?.is_some() {
            cx.report(Violation::new(Code::TOO_MANY_ITEMS).param("max", max));
            drain_seq(items, cx)?;
            return Ok(None);
        }
        // Positions mean something only while no item is missing.
        let complete = kept == count;
        if complete {
            C::tidy(&mut open, R::tidy);
        }
        let list = C::close(open);
        if complete {
            let count = if R::DEDUP { list.iter().count() } else { count };
            check_counts::<C, R>(count, cx);
            if R::UNIQUE {
                check_repeated::<C, R>(&list, cx);
            }
        }
        Ok((cx.faults() == before).then_some(list))
    }
}
