//! Joins of any number of members of one type, a bounded number at a time.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::drive::{Alarm, Pace, Turn};
use crate::{ComponentError, Degrade, Fault, Partial, Served};

pin_project! {
    /// The future of [`Degrade::join_all`].
    #[must_use = "futures do nothing unless polled"]
    pub struct JoinAll<I, K, F, T> {
        settings: Degrade,
        name: Cow<'static, str>,
        pace: Pace,
        alarm: Alarm,
        members: Option<I>,
        taken: usize,
        running: Vec<Member<K, F>>,
        values: Vec<(usize, (K, T))>,
        errors: Vec<(usize, ComponentError)>,
    }
}

struct Member<K, F> {
    index: usize,
    key: K,
    turn: Turn,
    future: Pin<Box<F>>,
}

impl<I, K, F, T> JoinAll<I, K, F, T> {
    pub(crate) fn new(settings: Degrade, name: Cow<'static, str>, members: I) -> Self {
        Self {
            pace: Pace::new(&settings),
            settings,
            name,
            alarm: Alarm::new(),
            members: Some(members),
            taken: 0,
            running: Vec::new(),
            values: Vec::new(),
            errors: Vec::new(),
        }
    }
}

impl<I, K, F, T> fmt::Debug for JoinAll<I, K, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinAll")
            .field("settings", &self.settings)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<I, K, F, T, E> Future for JoinAll<I, K, F, T>
where
    I: Iterator<Item = (K, F)>,
    K: fmt::Display,
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Partial<Vec<(K, T)>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        loop {
            this.pace.round();
            let mut next = 0;
            let mut done = 0;
            // Members that are done make room for others, which are polled in the same round.
            loop {
                if next == this.running.len() {
                    if this.pace.is_full() {
                        break;
                    }
                    let Some((key, future)) = this.members.as_mut().and_then(Iterator::next) else {
                        *this.members = None;
                        break;
                    };
                    this.running.push(Member {
                        index: *this.taken,
                        key,
                        turn: this.pace.turn(None),
                        future: Box::pin(future),
                    });
                    *this.taken += 1;
                }
                if done == DONE_IN_ONE_POLL {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let member = &mut this.running[next];
                let polled = this.pace.poll(&mut member.turn, member.future.as_mut(), cx);
                let Poll::Ready(result) = polled else {
                    next += 1;
                    continue;
                };
                done += 1;
                let Member { index, key, .. } = this.running.swap_remove(next);
                match result {
                    Ok(value) => {
                        this.settings.served(this.name, Some(&key));
                        this.values.push((index, (key, value)));
                    }
                    Err(reason) => {
                        let key = key.to_string();
                        let served = Served::Nothing;
                        this.settings.failed(this.name, Some(&key), &reason, served);
                        let component = Cow::Owned(format!("{}.{key}", this.name));
                        let error = ComponentError::new(component, Fault::Unavailable);
                        this.errors.push((index, error));
                    }
                }
            }
            if this.members.is_none() && this.running.is_empty() {
                return Poll::Ready(Partial::new(in_order(this.values), in_order(this.errors)));
            }
            if this.alarm.poll(this.pace, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

fn in_order<T>(numbered: &mut Vec<(usize, T)>) -> Vec<T> {
    let mut numbered = std::mem::take(numbered);
    numbered.sort_unstable_by_key(|(index, _)| *index);
    numbered.into_iter().map(|(_, item)| item).collect()
}

/// Members that are ready at once must not keep the thread from other tasks.
const DONE_IN_ONE_POLL: usize = 128;
