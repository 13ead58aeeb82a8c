//! `cargo xtask slow`: slowhttptest, the field's own tool for slow clients, against the shop.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use throwaway::Program;

use crate::{
    args, failure::Failure, install, process, shop::Shop, steps::Steps, workspace::Workspace,
};

pub(crate) const USAGE: &str = "slow
holds some hundred connections to the shop with slow heads, slow bodies and slow reads, by
slowhttptest, for less than a minute in all; fails when the shop is not available meanwhile or does
not let go of them. Without slowhttptest, which is installed where that is allowed, it says that
nothing was checked";

/// One peer may hold all connections of an attack and a few more, so that what is seen is what the
/// limits of time do and not that of the address.
const SETTINGS: &str = "[limits]
api = \"1000000/second\"
[server]
connections_by_address = 500
header_timeout = \"6s\"
idle_timeout = \"6s\"
write_timeout = \"6s\"
body_timeout = \"6s\"
";

const CONNECTIONS: &str = "400";

/// slowhttptest looks every five seconds. Fewer than these, and there was no attack.
const AT_LEAST: usize = 200;

struct Attack {
    name: &'static str,
    words: &'static [&'static str],
    path: &'static str,
}

/// What trickles goes on for longer than the limits; the long answer is longer than what fits into
/// the window of a client that does not read.
const ATTACKS: [Attack; 3] = [
    Attack {
        name: "slow heads",
        words: &["-H", "-i", "1", "-x", "24"],
        path: "/api/users/1",
    },
    Attack {
        name: "slow bodies",
        words: &[
            "-B",
            "-i",
            "1",
            "-x",
            "10",
            "-s",
            "8192",
            "-f",
            "application/json",
        ],
        path: "/api/users",
    },
    Attack {
        name: "slow reads",
        words: &[
            "-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32", "-k", "3",
        ],
        path: "/openapi.json",
    },
];

/// How long an attack goes on, in seconds, and by when the shop holds nothing of it any more: three
/// times the limits.
const LENGTH: &str = "10";
const LET_GO: Duration = Duration::from_secs(5);

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    if let Some(word) = args::next(&mut words)? {
        return Err(args::unexpected(&word, "nothing"));
    }
    let workspace = Workspace::load()?;
    process::hold_interrupts()?;
    let slowhttptest = Program::new("slowhttptest", "slowhttptest");
    let program = match install::find_or_install(&slowhttptest, "") {
        Ok(program) => program,
        Err(Failure::Broken(why)) => {
            eprintln!("slow: SKIPPED, nothing was checked: {why}");
            return Ok(());
        }
        Err(interrupted) => return Err(interrupted),
    };
    let shop = Shop::start(
        &workspace,
        &workspace.target_directory.join("slow"),
        SETTINGS,
    )?;
    let address = shop
        .address
        .trim_start_matches("http://")
        .parse()
        .map_err(|_| Failure::broken(format!("the shop listens on `{}`", shop.address)))?;

    let mut steps = Steps::new("slow", ATTACKS.len());
    for attack in &ATTACKS {
        steps.run(attack.name, || play(attack, &program, &shop, address))?;
    }
    steps.finish()
}

fn play(attack: &Attack, program: &Path, shop: &Shop, address: SocketAddr) -> Result<(), Failure> {
    let before = open_files(shop)?;
    let neighbour = Neighbour::start(address);
    let mut command = Command::new(program);
    command
        .args(attack.words)
        .args([
            "-c",
            CONNECTIONS,
            "-r",
            CONNECTIONS,
            "-p",
            "2",
            "-l",
            LENGTH,
        ])
        .arg("-u")
        .arg(format!("{}{}", shop.address, attack.path));
    let mut seen = Seen::default();
    let ran = process::run_reading_stdout(&mut command, &mut |line| seen.line(line));
    let (served, failed) = neighbour.stop();
    let status = ran?;
    let held = held_after(shop, before)?;

    println!(
        "{}: {} connections at most; a neighbour was served {served} times, {failed} times not; \
         {held} connections are held afterwards",
        attack.name, seen.most_connected
    );
    if !status.success() {
        return Err(Failure::broken(format!("slowhttptest: {status}")));
    }
    if seen.most_connected < AT_LEAST {
        return Err(Failure::broken(format!(
            "the attack had {} connections at most, and has shown nothing",
            seen.most_connected
        )));
    }
    if seen.reports == 0 || seen.unavailable > 0 {
        return Err(Failure::broken(format!(
            "slowhttptest found the service unavailable in {} of {} reports",
            seen.unavailable, seen.reports
        )));
    }
    if failed > 0 || served == 0 {
        return Err(Failure::broken(format!(
            "a neighbour was not served within {PATIENCE:?}, {failed} times"
        )));
    }
    if held > 0 {
        return Err(Failure::broken(format!(
            "the shop still holds {held} connections"
        )));
    }
    Ok(())
}

/// What slowhttptest reports as it goes on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    reports: usize,
    unavailable: usize,
    most_connected: usize,
}

impl Seen {
    fn line(&mut self, line: &str) {
        let line = without_colours(line);
        let value = |name: &str| Some(line.strip_prefix(name)?.trim().to_owned());
        if let Some(available) = value("service available:") {
            self.reports += 1;
            self.unavailable += usize::from(available != "YES");
        } else if let Some(count) = value("connected:").and_then(|count| count.parse().ok()) {
            self.most_connected = self.most_connected.max(count);
        }
    }
}

/// The text of a line as in `\x1b[1;32mconnected:   \x1b[1;32m 400`.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, plain)| plain)
    })
}

/// How many connections the shop holds that it did not hold before, once it has had time to let go.
fn held_after(shop: &Shop, before: usize) -> Result<usize, Failure> {
    let start = Instant::now();
    loop {
        let held = open_files(shop)?.saturating_sub(before);
        if held == 0 || start.elapsed() > LET_GO {
            return Ok(held);
        }
        process::check_interrupt()?;
        thread::sleep(Duration::from_millis(100));
    }
}

fn open_files(shop: &Shop) -> Result<usize, Failure> {
    let folder = format!("/proc/{}/fd", shop.pid());
    let files = fs::read_dir(&folder)
        .map_err(|error| Failure::broken(format!("{folder}: {error}; has the shop ended?")))?;
    Ok(files.count())
}

/// Somebody who behaves, a request every tenth of a second.
struct Neighbour {
    done: Arc<AtomicBool>,
    asking: JoinHandle<(usize, usize)>,
}

impl Neighbour {
    fn start(address: SocketAddr) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let asking = {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                let (mut served, mut failed) = (0, 0);
                // Relaxed: the flag alone is the message.
                while !done.load(Ordering::Relaxed) {
                    if is_served(address) {
                        served += 1;
                    } else {
                        failed += 1;
                    }
                    thread::sleep(Duration::from_millis(100));
                }
                (served, failed)
            })
        };
        Self { done, asking }
    }

    fn stop(self) -> (usize, usize) {
        self.done.store(true, Ordering::Relaxed);
        // A thread that panicked has served nobody.
        self.asking.join().unwrap_or((0, 1))
    }
}

fn is_served(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(
            b"GET /api/users/2 HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n",
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer.starts_with("HTTP/1.1 200 "))
    };
    ask().unwrap_or(false)
}

const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_understood_with_and_without_its_colours() {
        let mut seen = Seen::default();
        for line in [
            "slow HTTP test status on \x1b[0;32m5\x1b[1;32mth second:",
            "\x1b[1;32mconnected:   \x1b[1;32m        400",
            "connected:           17",
            "\x1b[1;32mservice available:\x1b[1;32m   \x1b[1;32mYES\x1b[0m",
            "\x1b[1;32mservice available:\x1b[1;32m   \x1b[1;31mNO\x1b[0m",
            "service available:   YES",
        ] {
            seen.line(line);
        }
        let expected = Seen {
            reports: 3,
            unavailable: 1,
            most_connected: 400,
        };
        assert_eq!(seen, expected);
    }
}
