//! Records of operations: the laws, transactions of the user's, processes that stop and die.

mod processes;
mod records;
mod transactions;
