//! Measures cases in turn and prints one line of JSON for each case and peer. `cargo xtask
//! compare` runs this and holds the ratios against the bars.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool prints"
)]

use std::{hint::black_box, process::ExitCode, time::Duration};

use lexopt::Arg;
use seawall_benches::{Area, Case, Measure, Settings, Side, Skipped, areas, measure};

fn main() -> ExitCode {
    let request = Request::parse(lexopt::Parser::from_env()).map_err(Refusal::from);
    let result = request.and_then(|request| match request {
        Request::Help => {
            println!("{USAGE}");
            Ok(())
        }
        Request::Compare {
            only,
            settings,
            list,
        } => Ok(compare(&only, settings, list)?),
        Request::Run {
            case,
            side,
            operations,
        } => run_one(&case, &side, operations),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refusal { message, code }) => {
            eprintln!("compare: {message}");
            ExitCode::from(code)
        }
    }
}

struct Refusal {
    message: String,
    code: u8,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self { message, code: 2 }
    }
}

const USAGE: &str = "usage: compare [--only AREA[/CASE]]... [--rounds N] [--batch-ms N] [--list]
       compare run AREA/CASE SIDE N

Measures the cases and prints a line of JSON for each case and peer. `run` performs N operations of
one side (`ours` or a peer's name) and prints nothing, for callgrind and perf; what is no loop of
one thread, or lacks its server, it refuses with exit code 3. A case that lacks its server is skipped.
A build with the feature `heap` measures the cases of allocations, and only those.";

enum Request {
    Help,
    Compare {
        only: Vec<String>,
        settings: Settings,
        list: bool,
    },
    Run {
        case: String,
        side: String,
        operations: u64,
    },
}

impl Request {
    fn parse(mut words: lexopt::Parser) -> Result<Self, String> {
        let (mut only, mut settings, mut list) = (Vec::new(), Settings::default(), false);
        while let Some(word) = words.next().map_err(|error| error.to_string())? {
            match word {
                Arg::Long("help") | Arg::Short('h') => return Ok(Self::Help),
                Arg::Long("only") => only.push(text(&mut words, "an area or AREA/CASE")?),
                Arg::Long("list") => list = true,
                Arg::Long("rounds") => {
                    let rounds = number(&mut words, "a number of rounds from 1")?;
                    settings = settings.rounds(usize::try_from(rounds).unwrap_or(usize::MAX));
                }
                Arg::Long("batch-ms") => {
                    let batch = number(&mut words, "milliseconds from 1")?;
                    settings = settings.batch(Duration::from_millis(batch));
                }
                Arg::Value(word) if word == "run" => {
                    let case = text(&mut words, "AREA/CASE")?;
                    let side = text(&mut words, "`ours` or the name of a peer")?;
                    let operations = number(&mut words, "a number of operations from 1")?;
                    return Ok(Self::Run {
                        case,
                        side,
                        operations,
                    });
                }
                other => return Err(format!("{}\n\n{USAGE}", other.unexpected())),
            }
        }
        Ok(Self::Compare {
            only,
            settings,
            list,
        })
    }
}

fn text(words: &mut lexopt::Parser, what: &str) -> Result<String, String> {
    let value = words
        .value()
        .map_err(|error| format!("{error}; expected {what}"))?;
    value
        .into_string()
        .map_err(|value| format!("{value:?} is not UTF-8; expected {what}"))
}

fn number(words: &mut lexopt::Parser, what: &str) -> Result<u64, String> {
    let text = text(words, what)?;
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is no such number; expected {what}")),
    }
}

/// What this build can measure.
const MEASURED: Measure = if cfg!(feature = "heap") {
    Measure::Heap
} else {
    Measure::Time
};

fn compare(only: &[String], settings: Settings, list: bool) -> Result<(), String> {
    let areas = areas::all();
    for wanted in only {
        if !areas
            .iter()
            .any(|area| area.cases.iter().any(|case| matches(wanted, area, case)))
        {
            return Err(format!("unknown `{wanted}`; expected {}", known(&areas)));
        }
    }
    for area in areas {
        let name = area.name;
        let wanted = |case: &Case| {
            only.is_empty() || only.iter().any(|wanted| chosen(wanted, name, case.name))
        };
        let cases = area.cases.into_iter().filter(|case| wanted(case));
        for case in cases.filter(|case| case.measure == MEASURED) {
            if list {
                let peers: Vec<_> = case.peers.iter().map(Side::name).collect();
                println!("{name}/{}: {}", case.name, peers.join(", "));
                continue;
            }
            if let Some(missing) = case.missing() {
                eprintln!("SKIPPED {name}/{}: {missing}", case.name);
                print(&Skipped::new(format!("{name}/{}", case.name), missing))?;
                continue;
            }
            eprintln!("measuring {name}/{}", case.name);
            for measurement in measure(name, case, settings) {
                print(&measurement)?;
            }
        }
    }
    Ok(())
}

fn print(line: &impl serde::Serialize) -> Result<(), String> {
    let line = serde_json::to_string(line).map_err(|error| error.to_string())?;
    println!("{line}");
    Ok(())
}

fn matches(wanted: &str, area: &Area, case: &Case) -> bool {
    chosen(wanted, area.name, case.name)
}

fn chosen(wanted: &str, area: &str, case: &str) -> bool {
    match wanted.split_once('/') {
        Some((wanted_area, wanted_case)) => wanted_area == area && wanted_case == case,
        None => wanted == area,
    }
}

fn known(areas: &[Area]) -> String {
    let names: Vec<_> = areas.iter().map(|area| area.name).collect();
    format!(
        "one of {}, or AREA/CASE as `--list` shows them",
        names.join(", ")
    )
}

fn run_one(wanted: &str, side: &str, operations: u64) -> Result<(), Refusal> {
    let areas = areas::all();
    let message = format!("unknown case `{wanted}`; expected {}", known(&areas));
    let case = areas
        .into_iter()
        .flat_map(|area| area.cases.into_iter().map(move |case| (area.name, case)))
        .find(|(area, case)| wanted.contains('/') && chosen(wanted, area, case.name));
    let Some((_, case)) = case else {
        return Err(message.into());
    };

    if let Some(message) = case.missing() {
        return Err(Refusal { message, code: 3 });
    }
    let mut sides: Vec<_> = std::iter::once(case.ours).chain(case.peers).collect();
    let names: Vec<_> = sides.iter().map(Side::name).collect();
    let Some(index) = names.iter().position(|name| *name == side) else {
        let known = names.join(", ");
        return Err(format!("unknown side `{side}`; expected one of {known}").into());
    };
    let mut work = sides.swap_remove(index).build();
    if !work.is_loop_of_one_thread() {
        let message = format!("{wanted} of {side} is no loop of one thread");
        return Err(Refusal { message, code: 3 });
    }
    black_box(work.perform(operations));
    Ok(())
}
