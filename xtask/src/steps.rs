//! A progress line a step, with its duration, and the list of them at the end.

use std::time::{Duration, Instant};

use crate::failure::Failure;

pub(crate) struct Steps {
    task: &'static str,
    planned: usize,
    started: Instant,
    failed: Vec<String>,
    done: usize,
}

impl Steps {
    pub(crate) fn new(task: &'static str, planned: usize) -> Self {
        Self {
            task,
            planned,
            started: Instant::now(),
            failed: Vec::new(),
            done: 0,
        }
    }

    /// Runs one step. What is broken is remembered and told, and the next step still runs; only a
    /// usage failure and an interruption end the task here.
    pub(crate) fn run<T>(
        &mut self,
        name: &str,
        step: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        self.done += 1;
        let place = format!("{} [{}/{}] {name}", self.task, self.done, self.planned);
        eprintln!("==> {place}");
        let start = Instant::now();
        let result = step();
        let took = seconds(start.elapsed());
        match result {
            Ok(value) => {
                eprintln!("==> {place}: ok, {took}");
                Ok(Some(value))
            }
            Err(Failure::Broken(reason)) => {
                eprintln!("==> {place}: FAILED, {took}: {reason}");
                self.failed.push(format!("{name}: {reason}"));
                Ok(None)
            }
            Err(other) => {
                eprintln!("==> {place}: {other}, {took}");
                Err(other)
            }
        }
    }

    pub(crate) fn elapsed(&self) -> String {
        seconds(self.started.elapsed())
    }

    /// The verdict over all steps.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.failed.is_empty() {
            return Ok(());
        }
        Err(Failure::broken(format!(
            "{} failed: {}",
            self.task,
            self.failed.join("; ")
        )))
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_step_lets_the_next_run_and_fails_the_task() {
        let mut steps = Steps::new("test", 2);
        let first: Option<()> = steps.run("one", || Err(Failure::broken("no"))).unwrap();
        let second = steps.run("two", || Ok(2)).unwrap();
        assert_eq!((first, second), (None, Some(2)));
        assert_eq!(steps.finish(), Err(Failure::broken("test failed: one: no")));
    }

    #[test]
    fn an_interruption_ends_the_task() {
        let mut steps = Steps::new("test", 2);
        let result: Result<Option<()>, _> = steps.run("one", || Err(Failure::Interrupted));
        assert_eq!(result, Err(Failure::Interrupted));
    }
}
