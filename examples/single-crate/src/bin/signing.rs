//! Two services on one secret, and somebody between them.

use seawall_signing::{Head, OwnedHead, Refused, Secret, Signer, Verifier, scheme::Native};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signer = Signer::new(Native::new(), Secret::new("between the two services")?);
    let verifier = Verifier::new(Native::new(), Secret::new("between the two services")?)?;

    let body = br#"{"amount":1200}"#;
    let head = OwnedHead::request("POST", "https://shop.example/hooks");
    let signed = head.clone().headers(signer.sign(&head, body)?);

    tell("as it was sent", judge(&verifier, &signed, body));
    tell(
        "with another amount",
        judge(&verifier, &signed, br#"{"amount":9900}"#),
    );
    tell("without a signature", judge(&verifier, &head, body));
    Ok(())
}

fn judge(verifier: &Verifier, head: &impl Head, body: &[u8]) -> Result<(), Refused> {
    let verdict = verifier.verify_now(head, body);
    verdict.expect("a ring answers at once").map(drop)
}

fn tell(what: &str, verdict: Result<(), Refused>) {
    match verdict {
        Ok(()) => println!("{what}: believed"),
        // The sender hears the status and no more. The reason is for the log.
        Err(refused) => println!("{what}: {} ({refused})", refused.status()),
    }
}
