//! One table of HTTP cases, asked of the shop on each framework: the answers are the same.
//!
//! Request ids, dates, and the order and the letter case of headers may differ, and what a clock has
//! moved between two answers: seconds of waiting, and of a window's end. All else is compared,
//! to the byte, with how the connection ends.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that shows what it found"
)]

mod answer;
mod case;
mod shop;
mod table;

use answer::Answer;
use case::Case;
use shop::{Framework, Shop};

#[test]
fn both_frameworks_answer_alike() {
    let cases = table::all();
    let [axum, actix] =
        [Framework::Axum, Framework::Actix].map(|framework| said(framework, &cases));
    let (mut differences, mut surprises) = (0, 0);
    for (case, (axum, actix)) in cases.iter().zip(axum.iter().zip(&actix)) {
        if !case.is_as_expected(axum) {
            surprises += 1;
            let (name, statuses) = (case.name(), case.statuses());
            println!("{name}: expected {statuses:?}, and got\n  axum  {axum:#?}");
        }
        if axum != actix {
            differences += 1;
            let name = case.name();
            println!("{name}:\n  axum  {axum:#?}\n  actix {actix:#?}");
        }
    }
    let count = cases.len();
    println!("parity: {count} cases, {differences} differences, {surprises} surprises");
    assert_eq!((differences, surprises), (0, 0));
}

/// What a fresh shop says to every case, one after the other.
fn said(framework: Framework, cases: &[Case]) -> Vec<Vec<Answer>> {
    let shop = Shop::start(framework);
    cases
        .iter()
        .enumerate()
        .map(|(number, case)| case.ask(&shop, number))
        .collect()
}
