//! `cargo xtask contract`: the shop against its own `OpenAPI` document, by schemathesis.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use crate::{
    args,
    failure::Failure,
    process,
    workspace::{Workspace, cargo},
};

pub(crate) const USAGE: &str = "contract [SECONDS]
asks the shop everything that its OpenAPI document allows and much that it does not, for 60 seconds
unless told; fails on a status, media type, header or body that is not documented. Needs Python 3;
schemathesis is installed under target/ by pip, once";

/// A new version may find what this one did not, at a time of its choosing.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,unsupported_method";

/// Limits that nobody reaches: what is asked about is the shape of answers.
const CONFIG: &str = "[limits]
api = \"1000000/second\"
expensive_operation = \"1000000/second\"
send_email = \"1000000/second\"
builds = \"1000000/second\"
";

pub(crate) fn run(mut words: lexopt::Parser) -> Result<(), Failure> {
    let seconds = match args::at_most_one(&mut words, "one number of seconds")? {
        None => 60,
        Some(word) => word
            .parse()
            .ok()
            .filter(|seconds| (1..=3600).contains(seconds))
            .ok_or_else(|| Failure::usage(format!("`{word}`: expected 1 to 3600 seconds")))?,
    };
    let workspace = Workspace::load()?;
    process::hold_interrupts()?;
    let folder = workspace.target_directory.join("contract");
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    let program = schemathesis(&folder)?;

    run_to_success(
        cargo().args(["build", "--quiet", "-p", "shop"]),
        "the build of the shop",
    )?;
    let config = folder.join("shop.toml");
    fs::write(&config, CONFIG).map_err(|error| unwritable(&config, &error))?;
    let shop = Shop::start(
        &workspace.target_directory.join("debug").join("shop"),
        &config,
    )?;

    let mut command = Command::new(program);
    command
        .current_dir(&folder)
        .arg("run")
        .arg(format!("{}/openapi.json", shop.address))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args([
            "--max-time",
            &u64::to_string(&seconds),
            "--max-examples",
            "50",
        ])
        .args([
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
            "--no-color",
        ])
        .args(["--header", "Authorization: Bearer alice-token"])
        .arg("--generation-deterministic");
    run_to_success(&mut command, "the contract")?;
    println!("contract: the shop answers as its document says");
    Ok(())
}

/// Where schemathesis lies, installed if it does not yet.
fn schemathesis(folder: &Path) -> Result<PathBuf, Failure> {
    let venv = folder.join(SCHEMATHESIS.replace("==", "-"));
    let program = venv.join("bin").join("schemathesis");
    if program.is_file() {
        return Ok(program);
    }
    let skipped = |what: &str| {
        Failure::broken(format!(
            "contract: SKIPPED, nothing was checked, since {what}; expected Python 3 with venv, \
             and pip with access to {SCHEMATHESIS}"
        ))
    };
    let steps = [
        (
            Command::new("python3"),
            vec!["-m".into(), "venv".into(), venv.clone().into_os_string()],
        ),
        (
            Command::new(venv.join("bin").join("python")),
            [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                SCHEMATHESIS,
            ]
            .map(Into::into)
            .into(),
        ),
    ];
    for (mut command, words) in steps {
        command.args(words);
        match process::run(&mut command, &mut |_| {}) {
            Ok(status) if status.success() => {}
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            Ok(_) | Err(_) => {
                return Err(skipped(&format!(
                    "`{}` failed",
                    command.get_program().display()
                )));
            }
        }
    }
    if program.is_file() {
        Ok(program)
    } else {
        Err(skipped("pip installed no program of that name"))
    }
}

fn run_to_success(command: &mut Command, what: &str) -> Result<(), Failure> {
    if process::run(command, &mut |_| {})?.success() {
        Ok(())
    } else {
        Err(Failure::broken(format!("{what} failed")))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::broken(format!("{} cannot be written: {error}", path.display()))
}

/// A running shop; killed when dropped.
struct Shop {
    address: String,
    child: Child,
}

impl Shop {
    fn start(program: &Path, config: &Path) -> Result<Self, Failure> {
        let did_not_start = |why: String| Failure::broken(format!("the shop did not start: {why}"));
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| did_not_start(error.to_string()))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            // A line that cannot be read is empty, which is refused below.
            let _ = stdout.read_line(&mut line);
            // A full pipe would stop the shop.
            thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        }
        let address = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let shop = Self {
            address: address.unwrap_or_default(),
            child,
        };
        if shop.address.is_empty() {
            return Err(did_not_start(format!("it said `{}`", line.trim())));
        }
        Ok(shop)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // One that has ended already needs no more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
