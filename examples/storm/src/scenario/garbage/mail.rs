//! Fields that nobody asked for, and text that wants to be a header.

use super::case::{Expect, Kind};
use super::plan::Plan;
use super::write::Draft;

/// What a binder that fills in every field it knows would take.
pub(super) fn mass_assignment(plan: &mut Plan) {
    const REFUSED: Expect = Expect::Status(&[422]);
    for field in [
        "\"id\":1",
        "\"is_admin\":true",
        "\"role\":\"admin\"",
        "\"roles\":[\"admin\"]",
        "\"password\":\"hunter2\"",
        "\"email_verified\":true",
        "\"balance\":1000000",
        "\"created_at\":\"1970-01-01T00:00:00Z\"",
        "\"__proto__\":{\"is_admin\":true}",
        "\"constructor\":{\"prototype\":{}}",
        "\"$where\":\"1\"",
        "\"user\":{\"is_admin\":true}",
        "\"user.is_admin\":true",
        "\"user[is_admin]\":true",
        "\"Email\":\"eve@example.com\"",
        "\"email \":\"eve@example.com\"",
        "\"\":0",
        "\"ema\\u0131l\":\"eve@example.com\"",
        // The same field again, for readers who disagree about which one counts.
        "\"email\":\"eve@example.com\"",
        "\"ema\\u0069l\":\"eve@example.com\"",
        "\"name\":\"Eve\"",
        "\"name\":null",
    ] {
        let body = format!("{{\"email\":\"ann@example.com\",\"name\":\"Ann\",{field}}}");
        plan.users(Kind::MassAssignment, field, body, REFUSED);
    }
    for query in [
        "q=sea&is_admin=true",
        "q=sea&q=ocean",
        "q=sea&Q=ocean",
        "q[]=sea",
        "q.a=sea",
        "q=sea&%71=ocean",
    ] {
        let pieces = Draft::new("GET", &format!("/api/search?{query}")).body("");
        plan.add(Kind::MassAssignment, query, pieces, REFUSED);
    }
}

/// Line breaks that would start a header of their own in a mail.
pub(super) fn header_injection(plan: &mut Plan) {
    const REFUSED: Expect = Expect::Status(&[422]);
    for address in [
        "ann@example.com\\r\\nBcc: eve@example.com",
        "ann@example.com\\nBcc: eve@example.com",
        "ann@example.com\\rBcc: eve@example.com",
        "ann@example.com\\u0000",
        "ann@example.com\\u0085Bcc: eve@example.com",
        "ann@example.com\\u2028Bcc: eve@example.com",
        "a\\r\\nBcc: eve@example.com",
        "\\\"a\\r\\n b\\\"@example.com",
        "ann@example.com,eve@example.com",
        "ann@example.com;eve@example.com",
        "ann@example.com eve@example.com",
        "Ann <ann@example.com>",
        "ann(comment)@example.com",
        "ann@example.com%0d%0aBcc:eve@example.com",
        "ann@exa\\tmple.com",
        "ann@example.com\\u00a0x",
    ] {
        let body = format!("{{\"email\":\"{address}\",\"name\":\"Ann\"}}");
        plan.users(Kind::HeaderInjection, address, body, REFUSED);
    }
    // Bob's mails are few: after some of these, it is his limit that refuses.
    for (to, subject) in [
        ("bob@example.com\\r\\nBcc: eve@example.com", "Hello"),
        ("bob@example.com", "Hello\\r\\nBcc: eve@example.com"),
        ("bob@example.com", "Hello\\u0000"),
    ] {
        let body = format!("{{\"to\":\"{to}\",\"subject\":\"{subject}\",\"body\":\"-\"}}");
        let pieces = Draft::post_json("/api/send-email")
            .header("authorization", "Bearer bob-token")
            .body(body);
        plan.add(
            Kind::HeaderInjection,
            format!("{to}, {subject}"),
            pieces,
            Expect::Status(&[422, 429]),
        );
    }
}
