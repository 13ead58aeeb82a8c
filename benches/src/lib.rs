//! Seawall beside its peers.
