//! Tuples and arrays: exactly so many, by the rules of their types.

use std::marker::PhantomData;

use serde::de::{Deserializer, SeqAccess};

use crate::path::Step;
use crate::schema::{Schema, Schemas};
use crate::validate::Seed;
use crate::visitor::{self, Drain, Take, drain_seq};
use crate::{Code, Cx, Validate, Violation};

struct TakeArray<T, const N: usize>(PhantomData<T>);

impl<'de, T: Validate<'de>, const N: usize> Take<'de> for TakeArray<T, N> {
    type Out = [T; N];
    const WANTS: Code = Code::TYPE_ARRAY;

    fn seq<A: SeqAccess<'de>>(
        self,
        mut items: A,
        cx: &mut Cx<'_>,
    ) -> Result<Option<[T; N]>, A::Error> {
        let mut out = Vec::new();
        for at in 0..N {
            let read = |cx: &mut Cx<'_>| items.next_element_seed(Seed::<T>(cx, PhantomData));
            let Some(item) = cx.step(Step::Index(at), read)? else {
                cx.report(Violation::new(Code::TOO_FEW_ITEMS).param("min", N));
                return Ok(None);
            };
            out.extend(item);
        }
        finish(items, N, cx)?;
        Ok(out.try_into().ok())
    }
}

impl<'de, T: Validate<'de>, const N: usize> Validate<'de> for [T; N] {
    fn read<D: Deserializer<'de>>(d: D, cx: &mut Cx<'_>) -> Result<Option<Self>, D::Error> {
        visitor::read(TakeArray::<T, N>(PhantomData), d, cx)
    }

    fn check(&self, cx: &mut Cx<'_>) {
        for (at, item) in self.iter().enumerate() {
            cx.step(Step::Index(at), |cx| item.check(cx));
        }
    }

    fn schema(schemas: &mut Schemas) -> Schema {
        let mut schema = Schema::of_type("array");
        schema.nest("items", T::schema(schemas));
        schema.set("minItems", N);
        schema.set("maxItems", N);
        schema
    }
}

/// Refuses what follows the last item.
fn finish<'de, A: SeqAccess<'de>>(
    mut items: A,
    most: usize,
    cx: &mut Cx<'_>,
) -> Result<(), A::Error> {
    if items.next_element_seed(Drain(cx))?.is_some() {
        cx.report(Violation::new(Code::TOO_MANY_ITEMS).param("max", most));
        drain_seq(items, cx)?;
    }
    Ok(())
}

macro_rules! tuple {
    ($count:literal: $($name:ident $at:tt),*) => {
        impl<'de, $($name: Validate<'de>),*> Validate<'de> for ($($name,)*) {
            fn read<De: Deserializer<'de>>(
                deserializer: De,
                cx: &mut Cx<'_>,
            ) -> Result<Option<Self>, De::Error> {
                struct TakeTuple<$($name),*>(PhantomData<($($name,)*)>);

                impl<'de, $($name: Validate<'de>),*> Take<'de> for TakeTuple<$($name),*> {
                    type Out = ($($name,)*);
                    const WANTS: Code = Code::TYPE_ARRAY;

                    fn seq<Se: SeqAccess<'de>>(
                        self,
                        mut items: Se,
                        cx: &mut Cx<'_>,
                    ) -> Result<Option<Self::Out>, Se::Error> {
                        let tuple = ($({
                            let read = |cx: &mut Cx<'_>| {
                                items.next_element_seed(Seed::<$name>(cx, PhantomData))
                            };
                            let Some(item) = cx.step(Step::Index($at), read)? else {
                                cx.report(
                                    Violation::new(Code::TOO_FEW_ITEMS).param("min", $count),
                                );
                                return Ok(None);
                            };
                            item
                        },)*);
                        finish(items, $count, cx)?;
                        Ok((|| Some(($(tuple.$at?,)*)))())
                    }
                }

                visitor::read(TakeTuple(PhantomData), deserializer, cx)
            }

            fn check(&self, cx: &mut Cx<'_>) {
                $(cx.step(Step::Index($at), |cx| self.$at.check(cx));)*
            }

            fn schema(schemas: &mut Schemas) -> Schema {
                let mut schema = Schema::of_type("array");
                schema.nest_all("prefixItems", vec![$($name::schema(schemas)),*]);
                schema.set("minItems", $count);
                schema.set("maxItems", $count);
                schema
            }
        }
    };
}
tuple!(1: A 0);
tuple!(2: A 0, B 1);
tuple!(3: A 0, B 1, C 2);
tuple!(4: A 0, B 1, C 2, D 3);
tuple!(5: A 0, B 1, C 2, D 3, F 4);
tuple!(6: A 0, B 1, C 2, D 3, F 4, G 5);
