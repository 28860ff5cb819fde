//! The repository's commands: parses the command line, runs one command, prints an error with its causes.

mod bench;
mod cli;
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
        cli::Command::Down(args) => down::run(&args),
        cli::Command::Test(args) => test::run(&args),
        cli::Command::Images(args) => images::run(&args),
        cli::Command::Gen(args) => generate::run(&args),
        cli::Command::Bench(args) => bench::run(&args),
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
