//! The order in which layers belong, and what goes wrong in any other.
//!
//! For adapters. Each of their layers leaves its mark on a request, among those of the layers outside
//! of it, and [`look`] tells of what is out of place. Only debug builds do: whoever tries a service out
//! sees the warning, and nobody pays for it afterwards.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A set of layers: those which stand outside of whoever reads this.
///
/// Kept with the request, in [`Known`](crate::request::Known) or as an extension of its own. One for all
/// layers: each mark of its own would make the map of extensions grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers(u16);

/// Named once, outermost first.
macro_rules! layers {
    ($($(#[$doc:meta])* $layer:ident $bit:literal $name:literal)*) => {
        impl Layers {
            $($(#[$doc])* pub const $layer: Self = Self(1 << $bit);)*

            /// The name of the only layer in this set.
            fn name(self) -> &'static str {
                match self {
                    $(Self::$layer => $name,)*
                    _ => "other",
                }
            }
        }

        /// All layers in the order in which they belong, outermost first.
        const ORDER: &[Layers] = &[$(Layers::$layer),*];
    };
}

layers! {
    /// What tells the others of peer, route and parameters, where the framework does not.
    CONTEXT 0 "context"
    /// Gives a request its id.
    REQUEST_ID 1 "request id"
    /// Gives it its place in a trace.
    TRACE 2 "trace"
    /// Renders, adopts and logs errors.
    ERRORS 3 "errors"
    /// Bounds the time.
    DEADLINE 4 "deadline"
    /// Bounds the rate.
    RATE_LIMIT 5 "rate limit"
    /// Bounds the body.
    BODY_LIMIT 6 "body limit"
    /// Verifies signatures.
    VERIFY 7 "signature"
    /// Finds out who is calling, where the adapter has a layer for it.
    AUTHENTICATION 8 "authentication"
    /// Carries out once.
    IDEMPOTENCY 9 "idempotency"
    /// Unpacks bodies.
    DECOMPRESSION 10 "decompression"
}

impl Layers {
    /// No layer at all.
    pub const NONE: Self = Self(0);

    /// These and those.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether all of those are among these.
    #[must_use]
    pub const fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

/// What one layer needs of the place of another. `Display` says what is wrong where it is broken.
#[derive(Debug)]
pub struct Rule {
    layer: Layers,
    place: Place,
    why: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Inside of this one, which has to be there.
    Inside(Layers),
    /// Outside of this one, if it is there. One further inside is free: it adds to the outer one.
    Outside(Layers),
    /// The same for each of them, however many there are.
    AlwaysOutside(Layers),
}

use Place::{AlwaysOutside, Inside, Outside};

/// All of them.
pub const RULES: &[Rule] = &[
    Rule {
        layer: Layers::CONTEXT,
        place: Outside(Layers::ERRORS),
        why: "what is logged of a failure does not name the route",
    },
    Rule {
        layer: Layers::CONTEXT,
        place: Outside(Layers::RATE_LIMIT),
        why: "limits know neither the caller's address nor the parameters of the route",
    },
    Rule {
        layer: Layers::REQUEST_ID,
        place: Outside(Layers::TRACE),
        why: "the span of a request lacks its id",
    },
    Rule {
        layer: Layers::REQUEST_ID,
        place: Outside(Layers::ERRORS),
        why: "error answers have another id than what handlers log",
    },
    Rule {
        layer: Layers::TRACE,
        place: Outside(Layers::ERRORS),
        why: "what is logged of a failure belongs to no trace",
    },
    Rule {
        layer: Layers::DEADLINE,
        place: Inside(Layers::ERRORS),
        why: BARE,
    },
    Rule {
        layer: Layers::DEADLINE,
        place: Outside(Layers::RATE_LIMIT),
        why: "the time that the store of the limits takes is not bounded",
    },
    Rule {
        layer: Layers::RATE_LIMIT,
        place: Inside(Layers::ERRORS),
        why: BARE,
    },
    Rule {
        layer: Layers::RATE_LIMIT,
        place: AlwaysOutside(Layers::IDEMPOTENCY),
        why: "copies of an answer are given away uncounted",
    },
    Rule {
        layer: Layers::BODY_LIMIT,
        place: Inside(Layers::ERRORS),
        why: BARE,
    },
    Rule {
        layer: Layers::BODY_LIMIT,
        place: Outside(Layers::IDEMPOTENCY),
        why: "bodies have been read when their limit is asked",
    },
    Rule {
        layer: Layers::VERIFY,
        place: Inside(Layers::ERRORS),
        why: BARE,
    },
    Rule {
        layer: Layers::VERIFY,
        place: Inside(Layers::BODY_LIMIT),
        why: "a body may take for ever to arrive",
    },
    Rule {
        layer: Layers::VERIFY,
        place: AlwaysOutside(Layers::IDEMPOTENCY),
        why: "answers are given again to callers whose signature nobody has checked",
    },
    Rule {
        layer: Layers::VERIFY,
        place: AlwaysOutside(Layers::DECOMPRESSION),
        why: "the bytes that are verified are not those that were signed",
    },
    Rule {
        layer: Layers::AUTHENTICATION,
        place: AlwaysOutside(Layers::IDEMPOTENCY),
        why: "keys are not kept apart by principal",
    },
    Rule {
        layer: Layers::IDEMPOTENCY,
        place: Inside(Layers::ERRORS),
        why: BARE,
    },
];

const BARE: &str =
    "its refusals lack the request's id and the format asked for, and are not logged";

impl Rule {
    /// Whose place it is about.
    #[must_use]
    pub fn layer(&self) -> &'static str {
        self.layer.name()
    }

    /// Where that belongs.
    #[must_use]
    pub fn place(&self) -> String {
        match self.place {
            Inside(other) => format!("inside of {}", other.name()),
            Outside(other) => format!("outside of {}", other.name()),
            AlwaysOutside(other) => format!("each outside of {}", other.name()),
        }
    }

    /// What goes wrong elsewhere.
    #[must_use]
    pub fn why(&self) -> &'static str {
        self.why
    }

    fn is_broken(&self, layer: Layers, outside: Layers) -> bool {
        let is_outermost = !outside.has(layer);
        self.layer == layer
            && match self.place {
                Inside(other) => is_outermost && !outside.has(other),
                Outside(other) => is_outermost && outside.has(other),
                AlwaysOutside(other) => outside.has(other),
            }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (layer, why) = (self.layer.name(), self.why);
        match self.place {
            Inside(other) => {
                let other = other.name();
                write!(
                    f,
                    "the {layer} layer has no {other} layer outside of it: {why}"
                )
            }
            Outside(other) | AlwaysOutside(other) => {
                let other = other.name();
                write!(
                    f,
                    "the {layer} layer stands inside of the {other} layer: {why}"
                )
            }
        }
    }
}

/// Tells of what is out of place when a request comes to these layers from those outside: of each rule
/// once a process.
pub fn look(entering: Layers, outside: Layers, tell: &mut dyn FnMut(&'static Rule)) {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    broken(entering, outside, &mut |number, rule| {
        let bit = 1 << number;
        // Relaxed: it decides about a line in the log and nothing else.
        if TOLD.fetch_or(bit, Relaxed) & bit == 0 {
            tell(rule);
        }
    });
}

const _: () = assert!(RULES.len() <= 32, "each rule has its bit");

fn broken(entering: Layers, mut outside: Layers, tell: &mut dyn FnMut(usize, &'static Rule)) {
    for &layer in ORDER.iter().filter(|layer| entering.has(**layer)) {
        for (number, rule) in RULES.iter().enumerate() {
            if rule.is_broken(layer, outside) {
                tell(number, rule);
            }
        }
        outside = outside.with(layer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Layers = Layers(0);

    fn told(entering: Layers, outside: Layers) -> Vec<String> {
        let mut told = Vec::new();
        broken(entering, outside, &mut |_, rule| {
            told.push(rule.to_string());
        });
        told
    }

    fn all() -> Layers {
        ORDER.iter().fold(NONE, |all, layer| all.with(*layer))
    }

    #[test]
    fn the_right_order_breaks_no_rule_and_neither_does_a_second_round() {
        assert_eq!(told(all(), NONE), Vec::<String>::new());
        let inner = Layers::DEADLINE
            .with(Layers::BODY_LIMIT)
            .with(Layers::ERRORS);
        let inner = inner.with(Layers::REQUEST_ID).with(Layers::IDEMPOTENCY);
        assert_eq!(told(inner, all()), Vec::<String>::new());
    }

    #[test]
    fn each_rule_agrees_with_the_order_and_can_be_broken_alone() {
        let place = |layer| ORDER.iter().position(|found| *found == layer);
        for rule in RULES {
            let (outside, agrees) = match rule.place {
                Inside(other) => {
                    let without = ORDER
                        .iter()
                        .filter(|one| **one != other && **one != rule.layer);
                    let without = without.fold(NONE, |all, layer| all.with(*layer));
                    let apart = Layers(without.0 & !Layers::IDEMPOTENCY.0);
                    let apart = Layers(apart.0 & !Layers::DECOMPRESSION.0);
                    (
                        Layers(apart.0 & !Layers::RATE_LIMIT.0),
                        place(other) < place(rule.layer),
                    )
                }
                Outside(other) | AlwaysOutside(other) => {
                    let needed = Layers::ERRORS.with(Layers::BODY_LIMIT);
                    let needed = match rule.layer {
                        Layers::CONTEXT | Layers::REQUEST_ID | Layers::TRACE => NONE,
                        Layers::BODY_LIMIT => Layers::ERRORS,
                        _ => needed,
                    };
                    (other.with(needed), place(rule.layer) < place(other))
                }
            };
            assert!(agrees, "{rule}");
            assert_eq!(told(rule.layer, outside), [rule.to_string()]);
        }
    }

    #[test]
    fn what_adds_to_an_outer_one_is_free_and_a_limit_inside_of_idempotency_never() {
        let outside = Layers::ERRORS
            .with(Layers::DEADLINE)
            .with(Layers::RATE_LIMIT);
        assert_eq!(told(Layers::DEADLINE, outside).len(), 0);
        let outside = outside.with(Layers::IDEMPOTENCY);
        assert_eq!(told(Layers::RATE_LIMIT, outside).len(), 1);
    }

    #[test]
    fn each_is_told_of_once() {
        let mut told = Vec::new();
        for _ in 0..2 {
            look(Layers::DEADLINE, NONE, &mut |rule| told.push(rule.layer()));
            look(Layers::VERIFY, Layers::ERRORS, &mut |rule| {
                told.push(rule.layer());
            });
        }
        assert_eq!(told, ["deadline", "signature"]);
    }
}
