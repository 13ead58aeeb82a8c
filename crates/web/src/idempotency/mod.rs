//! Which requests are carried out once, by what rule, and what each of them is about.

mod asked;
mod rule;

pub use asked::Asked;
pub use rule::{Execution, Rule, Rules};
