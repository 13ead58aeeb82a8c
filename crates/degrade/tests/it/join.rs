use std::convert::Infallible;
use std::future::{Future, pending, poll_fn, ready};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use seawall_degrade::{
    Aged, ComponentError, Degrade, Fault, LastGood, Partial, Reason, critical, optional, or_else,
    stale,
};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

type Text = Result<&'static str, String>;

async fn after(seconds: u32, text: &'static str) -> Text {
    sleep(seconds * SECOND).await;
    Ok(text)
}

async fn fails_after(seconds: u32) -> Text {
    sleep(seconds * SECOND).await;
    Err("down".to_owned())
}

fn missing(errors: &[ComponentError]) -> Vec<&str> {
    errors.iter().map(ComponentError::component).collect()
}

#[tokio::test(start_paused = true)]
async fn components_run_side_by_side() {
    let start = Instant::now();
    let parts = (
        critical("a", after(1, "a")),
        optional("b", after(1, "b")),
        or_else("c", after(1, "c"), "none"),
    );
    let answer = Degrade::new().join(parts).await.unwrap();
    assert_eq!(answer.into_data(), ("a", Some("b"), "c"));
    assert_eq!(start.elapsed().as_secs(), 1);
}

/// No runtime, hence no timer to touch: a panic would tell.
#[test]
fn ready_components_need_no_runtime() {
    let part = || critical("a", ready(Ok::<_, Infallible>(1)));
    let join = Degrade::new().join((part(), part(), part()));
    let answer = futures::executor::block_on(join).unwrap();
    assert_eq!(answer, Partial::complete((1, 1, 1)));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_told_in_the_given_order() {
    let parts = (
        optional("last", fails_after(1)),
        optional("never", ready(Text::Ok("here"))),
        optional("first", ready(Text::Err("down".to_owned()))),
    );
    let answer = Degrade::new().join(parts).await.unwrap();
    assert_eq!(missing(answer.errors()), ["last", "first"]);
}

#[tokio::test(start_paused = true)]
async fn a_critical_failure_ends_the_join_at_once() {
    let start = Instant::now();
    let (held, freed) = tokio::sync::oneshot::channel::<()>();
    let other = async move {
        let _held = held;
        after(60, "late").await
    };
    let parts = (optional("other", other), critical("user", fails_after(1)));
    let unavailable = Degrade::new().join(parts).await.unwrap_err();
    assert_eq!(unavailable.component(), "user");
    assert_eq!(
        unavailable.to_string(),
        "critical component `user` is unavailable"
    );
    assert!(matches!(unavailable.reason(), Reason::Error(error) if error.to_string() == "down"));
    assert_eq!(start.elapsed().as_secs(), 1);
    assert!(freed.await.is_err(), "the other component still lives");
}

#[tokio::test(start_paused = true)]
async fn a_component_ends_at_its_limit_and_the_others_go_on() {
    let start = Instant::now();
    let parts = (
        optional("hangs", pending::<Text>()),
        optional("patient", after(4, "late")).within(5 * SECOND),
        optional("hasty", after(1, "soon")).within(SECOND / 2),
        critical("slow", after(2, "just in time")).within(3 * SECOND),
    );
    let answer = Degrade::new()
        .per_component(3 * SECOND)
        .join(parts)
        .await
        .unwrap();
    assert_eq!(missing(answer.errors()), ["hangs", "hasty"]);
    assert_eq!(
        answer.into_data(),
        (None, Some("late"), None, "just in time")
    );
    assert_eq!(start.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_whole_ends_at_its_limit_with_what_there_is() {
    let in_ = |time: Duration| (Instant::now() + time).into_std();
    let kinds: [&dyn Fn() -> Degrade; 4] = [
        &|| Degrade::new().overall(SECOND),
        &|| Degrade::new().deadline(in_(SECOND)),
        &|| Degrade::new().overall(9 * SECOND).deadline(in_(SECOND)),
        &|| Degrade::new().overall(SECOND).deadline(in_(9 * SECOND)),
    ];
    for settings in kinds {
        let start = Instant::now();
        let early = async {
            sleep(SECOND / 2).await;
            Text::Ok("early")
        };
        let parts = (optional("a", early), optional("b", after(2, "late")));
        let answer = settings().join(parts).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1000);
        assert_eq!(missing(answer.errors()), ["b"]);
        assert_eq!(answer.into_data(), (Some("early"), None));
    }
}

#[tokio::test(start_paused = true)]
async fn past_the_deadline_nothing_is_started() {
    let deadline = Instant::now().into_std();
    advance(SECOND).await;
    let polls = AtomicUsize::new(0);
    let counted = || {
        poll_fn(|_| {
            polls.fetch_add(1, Ordering::Relaxed);
            Poll::Ready(Text::Ok("here"))
        })
    };
    let settings = Degrade::new().deadline(deadline);
    let answer = settings.join((optional("a", counted()),)).await.unwrap();
    assert_eq!(missing(answer.errors()), ["a"]);
    let refused = settings
        .join((critical("b", counted()),))
        .await
        .unwrap_err();
    assert!(matches!(refused.reason(), Reason::Deadline));
    assert_eq!(polls.into_inner(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_missing_component() {
    let panics = async {
        tokio::task::yield_now().await;
        Text::Ok(std::hint::black_box(None).expect("on purpose"))
    };
    let parts = (
        optional("panics", panics),
        critical("user", after(1, "Ada")),
    );
    let answer = Degrade::new().join(parts).await.unwrap();
    assert_eq!(missing(answer.errors()), ["panics"]);
    assert_eq!(answer.into_data(), (None, "Ada"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_drop_does_not_take_the_value_away() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    struct Armed(Bomb);
    impl Future for Armed {
        type Output = Text;
        fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<Text> {
            Poll::Ready(Ok("here"))
        }
    }
    let answer = Degrade::new()
        .join((critical("a", Armed(Bomb)),))
        .await
        .unwrap();
    assert_eq!(answer.into_data(), ("here",));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_join_drops_every_component() {
    let alive = Arc::new(());
    let part = || {
        let held = Arc::clone(&alive);
        optional("part", async move {
            let _held = held;
            pending::<Text>().await
        })
    };
    let mut join = Box::pin(Degrade::new().join((part(), part(), part())));
    assert!(futures::poll!(&mut join).is_pending());
    assert_eq!(Arc::strong_count(&alive), 4);
    drop(join);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test(start_paused = true)]
async fn a_component_which_is_done_gives_back_what_it_holds() {
    let (held, freed) = tokio::sync::oneshot::channel::<()>();
    let holds = async move {
        let text = after(1, "a").await;
        drop(held);
        text
    };
    let waits = async {
        freed.await.unwrap_err();
        Text::Ok("b")
    };
    let answer = Degrade::new()
        .join((critical("a", holds), critical("b", waits)))
        .await;
    assert_eq!(answer.unwrap().into_data(), ("a", "b"));
}

#[tokio::test(start_paused = true)]
async fn no_more_components_run_than_allowed_and_limits_start_with_the_turn() {
    let start = Instant::now();
    let running = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    let part = || {
        optional("part", async {
            let now = running.fetch_add(1, Ordering::Relaxed) + 1;
            most.fetch_max(now, Ordering::Relaxed);
            sleep(SECOND).await;
            running.fetch_sub(1, Ordering::Relaxed);
            Text::Ok("done")
        })
    };
    let settings = Degrade::new()
        .concurrency(NonZeroUsize::new(2).unwrap())
        .per_component(SECOND + SECOND / 2);
    let answer = settings
        .join((part(), part(), part(), part(), part()))
        .await
        .unwrap();
    assert!(!answer.is_partial());
    assert_eq!(most.load(Ordering::Relaxed), 2);
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_value_stands_in_until_it_is_too_old() {
    let last = LastGood::new(NonZeroUsize::MIN, 10 * SECOND);
    let join = async |text: Text| {
        let part = stale("rates", ready(text), last.at("EUR"));
        Degrade::new().join((part,)).await.unwrap()
    };
    let down = || Err("down".to_owned());
    let check = |answer: Partial<(Option<Aged<&str>>,)>, value, fault: Option<Fault>| {
        let errors: Vec<Fault> = answer.errors().iter().map(ComponentError::error).collect();
        assert_eq!(errors, fault.into_iter().collect::<Vec<_>>());
        assert_eq!(
            answer
                .into_data()
                .0
                .map(|aged| (aged.value, aged.age.as_secs())),
            value
        );
    };
    check(join(down()).await, None, Some(Fault::Unavailable));
    check(join(Ok("1.09")).await, Some(("1.09", 0)), None);
    advance(10 * SECOND).await;
    check(join(down()).await, Some(("1.09", 10)), Some(Fault::Stale));
    advance(SECOND).await;
    check(join(down()).await, None, Some(Fault::Unavailable));
}

/// A component that uses up the task's budget does not keep the others from their limits.
#[tokio::test(start_paused = true)]
async fn a_busy_component_is_ended_too() {
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let busy = async {
        loop {
            send.send(()).unwrap();
            receive.recv().await;
        }
        #[expect(unreachable_code, reason = "names the type")]
        Text::Ok("never")
    };
    let clock = async {
        loop {
            advance(SECOND / 10).await;
        }
    };
    let join = Degrade::new().join((optional("busy", busy),));
    tokio::select! {
        biased;
        answer = join => assert!(answer.unwrap().is_partial()),
        () = clock => {}
    }
}
