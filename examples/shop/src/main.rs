//! The shop as a program: everything it does is in the library, which storm runs as well.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    shop::run(env::args_os().skip(1))
}
