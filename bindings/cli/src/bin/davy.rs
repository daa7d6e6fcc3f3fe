//! The command `davy`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(davy_cli::run(std::env::args_os()))
}
