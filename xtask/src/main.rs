//! The repository's commands: parses the command line, runs one command, prints an error with its causes.

mod bench;
mod cli;
mod compose;
mod demo;
mod down;
mod generate;
mod images;
mod install;
mod provider;
mod repository;
mod test;
mod up;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let outcome = match cli::Cli::parse().command {
        cli::Command::Up(args) => up::run(&args),
        cli::Command::Down { provider } => down::run(provider),
        cli::Command::Test(args) => test::run(&args),
        cli::Command::Images { build_only } => images::run(build_only),
        cli::Command::Compose => compose::run(),
        cli::Command::Gen { check } => generate::run(check),
        cli::Command::Bench { subject } => bench::run(&subject),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}
