use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seawall_degrade::{Degrade, Observer, Reason, Served, critical, optional, or_else};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Observer for Log {
    fn served(&self, component: &str, key: Option<&str>) {
        let line = format!("{component} {key:?} served");
        self.0.lock().unwrap().push(line);
    }

    fn failed(&self, component: &str, key: Option<&str>, reason: &Reason, instead: Served) {
        let cause = std::error::Error::source(reason).map(ToString::to_string);
        let line = format!(
            "{component} {key:?} {} {cause:?} {instead:?}",
            reason.label()
        );
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn the_reasons_go_to_the_observer_and_not_into_the_answer() {
    let log = Log::default();
    let settings = Degrade::new()
        .per_component(Duration::from_secs(1))
        .observer(log.clone());
    let parts = (
        optional("up", ready(Ok::<_, String>(1))),
        optional("down", ready(Err::<u8, _>("secret host"))),
        or_else("hangs", pending::<Result<u8, String>>(), 0),
        optional("panics", async {
            if true {
                panic!("secret path")
            } else {
                Ok::<u8, String>(1)
            }
        }),
    );
    let answer = settings.join(parts).await.unwrap();
    assert_eq!(
        *log.0.lock().unwrap(),
        [
            r#"up None served"#,
            r#"down None error Some("secret host") Nothing"#,
            r#"panics None panic None Nothing"#,
            r#"hangs None timeout None Default"#,
        ],
    );
    let text = serde_json::to_string(&answer).unwrap();
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn members_are_told_apart_by_key_and_critical_failures_are_told() {
    let log = Log::default();
    let settings = Degrade::new().observer(log.clone());
    let members = [1, 2].map(|id| (id, ready(if id == 1 { Ok(id) } else { Err("down") })));
    let _ = settings.join_all("orders", members).await;
    let refused = settings
        .join((critical("user", ready(Err::<u8, _>("down"))),))
        .await;
    assert!(refused.is_err());
    assert_eq!(
        *log.0.lock().unwrap(),
        [
            r#"orders Some("1") served"#,
            r#"orders Some("2") error Some("down") Nothing"#,
            r#"user None error Some("down") Refusal"#,
        ],
    );
}
