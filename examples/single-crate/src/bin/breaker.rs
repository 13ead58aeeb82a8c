//! A dependency that is down costs three attempts, and one more each time it is tried out.

use std::cell::Cell;
use std::time::Duration;

use seawall_breaker::{CircuitBreaker, ConfigError, Error, ManualClock};

fn main() -> Result<(), ConfigError> {
    let clock = ManualClock::new();
    let breaker = CircuitBreaker::consecutive(3)
        .reset_timeout(Duration::from_secs(30))
        .clock(clock.clone())
        .build()?;

    let (attempts, is_up) = (Cell::new(0), Cell::new(false));
    let query = || {
        attempts.set(attempts.get() + 1);
        if is_up.get() {
            Ok("rows")
        } else {
            Err("connection refused")
        }
    };
    let ask = |times: u32| {
        let refused = (0..times)
            .filter(|_| matches!(breaker.call(query), Err(Error::Rejected(_))))
            .count();
        println!(
            "{times} calls: {refused} refused, {} attempts so far",
            attempts.get()
        );
    };

    ask(100);
    clock.advance(Duration::from_secs(31));
    ask(100);
    is_up.set(true);
    clock.advance(Duration::from_secs(31));
    ask(100);
    Ok(())
}
