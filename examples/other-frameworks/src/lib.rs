//! Seawall's tower layers behind frameworks that have no crate of their own here: axum 0.7, which is on
//! the same `http` and `tower` as 0.8, and tonic.
//!
//! What such a framework needs beside the layers is small and stands in a module each: who the peer
//! is, since tower knows no connections, and for gRPC the form in which a refusal is told.

pub mod axum07;
pub mod grpc;

use std::time::Duration;

use seawall_ratelimit::{ConfigError, MemoryStore, Policy, Quota};
use seawall_tower::{BodyLimitLayer, DeadlineLayer, FusedLayer};
use seawall_web::limits::RateLimits;
use seawall_web::request::{ClientIp, KeyBy};

/// What a service is held to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a request may take to its answer's head.
    pub deadline: Duration,
    /// How many bytes its body may have.
    pub body: u64,
    /// How many requests an address has.
    pub quota: Quota,
}

impl Bounds {
    /// The limits by address, in memory.
    ///
    /// # Errors
    ///
    /// None with these settings; the builder's own.
    pub fn limits(&self) -> Result<RateLimits<MemoryStore>, ConfigError> {
        let policy = Policy::new("address", self.quota)?;
        RateLimits::builder(MemoryStore::default())
            .limit(policy, KeyBy::address(ClientIp::peer()))
            .build()
    }

    /// Ids, errors, panics, deadline, rate limit and body limit as one layer.
    ///
    /// # Errors
    ///
    /// As [`limits`](Self::limits).
    pub fn fused(&self) -> Result<FusedLayer<MemoryStore>, ConfigError> {
        let deadline = DeadlineLayer::new(self.deadline);
        let fused = FusedLayer::new(deadline, BodyLimitLayer::new(self.body));
        Ok(fused.rate_limits(self.limits()?))
    }
}
