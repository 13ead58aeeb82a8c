//! A command that may send five mails a minute to each address, in front of no server at all.

use seawall_ratelimit::{Decision, Limiter, MemoryStore, quota};

fn main() {
    let mails = Limiter::new(MemoryStore::new(10_000), quota!("5/minute"));
    for (name, wanted) in [("alice", 7), ("bob", 2)] {
        let sent = (0..wanted).take_while(|_| send(&mails, name)).count();
        println!("{name}: {sent} of {wanted} sent");
    }
}

fn send(mails: &Limiter<MemoryStore>, name: &str) -> bool {
    match mails.check_local(name) {
        Decision::Allow(_) => true,
        Decision::Deny(denied) => {
            let wait = denied.retry_after().expect("the quota refills");
            println!("{name}: again in {} s", wait.as_secs_f32().ceil());
            false
        }
    }
}
