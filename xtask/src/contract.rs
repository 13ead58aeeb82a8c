//! `cargo xtask contract`: the shop against its own `OpenAPI` document, by schemathesis.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{args, failure::Failure, process, shop::Shop, workspace::Workspace};

pub(crate) const USAGE: &str = "contract [SECONDS]
asks the shop everything that its OpenAPI document allows and much that it does not, for 60 seconds
unless told; fails on a status, media type, header or body that is not documented. schemathesis is
installed under target/ by pip, once; without Python 3 it says that nothing was checked";

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
    let program = match schemathesis(&folder)? {
        Schemathesis::At(program) => program,
        Schemathesis::Missing(why) => {
            eprintln!(
                "contract: SKIPPED, nothing was checked, since {why}; expected Python 3 with venv, \
                 and pip with access to {SCHEMATHESIS}"
            );
            return Ok(());
        }
    };
    let shop = Shop::start(&workspace, &folder, CONFIG)?;

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

enum Schemathesis {
    At(PathBuf),
    /// With what went wrong.
    Missing(String),
}

/// Where schemathesis lies, installed if it does not yet.
fn schemathesis(folder: &Path) -> Result<Schemathesis, Failure> {
    let venv = folder.join(SCHEMATHESIS.replace("==", "-"));
    let program = venv.join("bin").join("schemathesis");
    if program.is_file() {
        return Ok(Schemathesis::At(program));
    }
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
                let program = command.get_program().display();
                return Ok(Schemathesis::Missing(format!("`{program}` failed")));
            }
        }
    }
    Ok(if program.is_file() {
        Schemathesis::At(program)
    } else {
        Schemathesis::Missing("pip installed no program of that name".to_owned())
    })
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
