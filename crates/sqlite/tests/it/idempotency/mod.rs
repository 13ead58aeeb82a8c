//! Records of operations: the laws, transactions of the user's, processes that stop and die.

mod history;
mod other;
mod processes;
mod records;
mod soak;
mod storm;
mod transactions;
