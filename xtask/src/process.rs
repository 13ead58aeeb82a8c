//! Running other programs: their output passes through line by line, and Ctrl-C or SIGTERM ends
//! them before it ends xtask, so that whatever was started on the way is stopped too.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::failure::Failure;

/// From now on Ctrl-C and SIGTERM set a flag instead of ending xtask on the spot.
pub(crate) fn hold_interrupts() -> Result<(), Failure> {
    if FLAG.get().is_some() {
        return Ok(());
    }
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag))
            .map_err(|error| Failure::broken(format!("signals cannot be caught: {error}")))?;
    }
    // A second caller that came first has registered a flag of its own, which works as well.
    let _ = FLAG.set(flag);
    Ok(())
}

/// Fails once somebody has asked for an end.
pub(crate) fn check_interrupt() -> Result<(), Failure> {
    // Relaxed: the flag alone is the message, nothing else is read on its account.
    match FLAG.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Failure::Interrupted),
        _ => Ok(()),
    }
}

/// Runs a program to its end. Both its outputs pass through to ours, and each line to `on_line`.
pub(crate) fn run(
    command: &mut Command,
    on_line: &mut dyn FnMut(&str),
) -> Result<ExitStatus, Failure> {
    run_to(command, Echo::Both, on_line)
}

/// As [`run`], but the program's stdout goes to `on_line` alone.
pub(crate) fn run_reading_stdout(
    command: &mut Command,
    on_line: &mut dyn FnMut(&str),
) -> Result<ExitStatus, Failure> {
    run_to(command, Echo::StderrOnly, on_line)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Echo {
    Both,
    StderrOnly,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

fn run_to(
    command: &mut Command,
    echo: Echo,
    on_line: &mut dyn FnMut(&str),
) -> Result<ExitStatus, Failure> {
    hold_interrupts()?;
    // A group of its own: a signal reaches cargo and the tests that it started, and Ctrl-C at the
    // terminal reaches xtask alone, which passes it on.
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .spawn()
        .map_err(|error| Failure::broken(format!("{program} did not start: {error}")))?;

    let (lines, received) = mpsc::channel();
    if let Some(pipe) = child.stdout.take() {
        forward(pipe, Stream::Out, lines.clone());
    }
    if let Some(pipe) = child.stderr.take() {
        forward(pipe, Stream::Err, lines);
    }

    // First the output, to its end; a grandchild that was left behind may hold the pipes open for
    // ever, so the end of the program itself bounds the wait.
    let mut exited: Option<Instant> = None;
    loop {
        if check_interrupt().is_err() {
            end_group(&mut child);
            return Err(Failure::Interrupted);
        }
        match received.recv_timeout(TICK) {
            Ok((stream, line)) => {
                on_line(&String::from_utf8_lossy(&line));
                if stream == Stream::Err {
                    let _ = io::stderr().write_all(&line);
                } else if echo == Echo::Both {
                    let _ = io::stdout().write_all(&line);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => match exited {
                None if ended_within(&mut child, Duration::ZERO) => exited = Some(Instant::now()),
                Some(at) if at.elapsed() > PATIENCE => break,
                _ => {}
            },
        }
    }
    while !ended_within(&mut child, TICK) {
        if check_interrupt().is_err() {
            end_group(&mut child);
            return Err(Failure::Interrupted);
        }
    }
    child
        .wait()
        .map_err(|error| Failure::broken(format!("{program}: {error}")))
}

fn forward(
    pipe: impl Read + Send + 'static,
    stream: Stream,
    lines: mpsc::Sender<(Stream, Vec<u8>)>,
) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            match pipe.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if lines.send((stream, line)).is_err() => return,
                Ok(_) => {}
            }
        }
    });
}

/// Asks a program and its children to end, and insists after a while.
fn end_group(child: &mut Child) {
    let group = Pid::from_child(child);
    let _ = kill_process_group(group, Signal::INT);
    if !ended_within(child, PATIENCE) {
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait();
    }
}

/// Waits for a child for a bounded time.
pub(crate) fn ended_within(child: &mut Child, limit: Duration) -> bool {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) if start.elapsed() < limit => thread::sleep(TICK),
            Ok(None) => return false,
            // A child that cannot be waited for is not ours any more.
            Ok(Some(_)) | Err(_) => return true,
        }
    }
}

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

const TICK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn every_line_of_both_outputs_is_seen() {
        let mut lines = Vec::new();
        let status = run(&mut shell("echo one; echo two >&2; exit 3"), &mut |line| {
            lines.push(line.trim_end().to_owned());
        });
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(status.unwrap().code(), Some(3));
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let failure = run(&mut Command::new("no-such-program-here"), &mut |_| {}).unwrap_err();
        assert!(
            failure.to_string().contains("no-such-program-here"),
            "{failure}"
        );
    }

    #[test]
    fn a_child_that_stays_is_not_waited_for_longer_than_said() {
        let mut child = shell("sleep 30").process_group(0).spawn().unwrap();
        assert!(!ended_within(&mut child, Duration::ZERO));
        end_group(&mut child);
        assert!(ended_within(&mut child, Duration::ZERO));
    }
}
