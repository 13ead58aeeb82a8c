//! Which garbage is sent, in which order. Follows from the seed alone.

use super::case::{Case, Expect, Kind};
use super::write::Draft;
use super::{bodies, corpus, heads, mail, packed, texts, wide};
use crate::audit::Speaker;
use crate::cli::Length;
use crate::client::raw::Piece;
use crate::dice::Dice;

/// The whole plan of a seed, in an order by chance.
pub(super) fn plan(seed: u64, length: Length) -> Vec<Case> {
    let mut dice = Dice::new(seed, "garbage");
    let mut plan = Plan { cases: Vec::new() };
    for _ in 0..length.pick(3, 2) {
        bodies::malformed_json(&mut plan, &mut dice);
        bodies::wrong_types(&mut plan);
        texts::naughty_strings(&mut plan);
        heads::lying_types(&mut plan);
        texts::invalid_utf8(&mut plan);
        bodies::deep(&mut plan);
    }
    // Each of these once: they are many, and what they say does not change.
    corpus::documents(&mut plan);
    texts::all_naughty_strings(&mut plan, length);
    wide::bombs(&mut plan);
    mail::mass_assignment(&mut plan);
    mail::header_injection(&mut plan);
    packed::bombs(&mut plan);
    packed::multipart(&mut plan);
    for _ in 0..length.pick(3, 1) {
        heads::header_floods(&mut plan);
        heads::query_floods(&mut plan);
        heads::lying_lengths(&mut plan);
    }
    for _ in 0..length.pick(4, 2) {
        bodies::oversized(&mut plan);
    }
    dice.shuffle(&mut plan.cases);
    plan.cases
}

/// The cases so far.
pub(super) struct Plan {
    cases: Vec<Case>,
}

impl Plan {
    pub(super) fn add(
        &mut self,
        kind: Kind,
        note: impl Into<String>,
        pieces: Vec<Piece>,
        expect: Expect,
    ) {
        let speaker = match kind {
            Kind::HeaderFlood | Kind::QueryFlood | Kind::LyingLength => Speaker::Parser,
            _ => Speaker::Service,
        };
        self.cases.push(Case {
            kind,
            note: note.into(),
            pieces,
            speaker,
            expect,
        });
    }

    /// A JSON body for `POST /api/users`.
    pub(super) fn users(
        &mut self,
        kind: Kind,
        note: impl Into<String>,
        body: impl AsRef<[u8]>,
        expect: Expect,
    ) {
        self.add(
            kind,
            note,
            Draft::post_json("/api/users").body(body),
            expect,
        );
    }
}

/// A body that is fine.
pub(super) const GOOD: &str = r#"{"email":"ann@example.com","name":"Ann","age":41}"#;
pub(super) const MALFORMED: Expect = Expect::Status(&[400]);
/// Which of the two is a matter of what is looked at first.
pub(super) const INVALID: Expect = Expect::Status(&[400, 422]);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_plan_follows_from_the_seed() {
        assert_eq!(plan(1, Length::Quick), plan(1, Length::Quick));
        assert_ne!(plan(1, Length::Quick), plan(2, Length::Quick));
    }

    #[test]
    fn even_a_quick_plan_has_every_kind() {
        let kinds: BTreeSet<Kind> = plan(1, Length::Quick)
            .iter()
            .map(|case| case.kind)
            .collect();
        assert_eq!(kinds.len(), 17);
    }

    #[test]
    fn malformed_bodies_are_malformed() {
        for case in plan(5, Length::Quick) {
            if case.kind == Kind::MalformedJson {
                let bytes = &case.pieces[0].bytes;
                let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
                let body = &bytes[head + 4..];
                assert!(
                    serde_json::from_slice::<serde_json::Value>(body).is_err(),
                    "{case:?}"
                );
            }
        }
    }
}
