//! The repository's commands: parse the command line, run one, print the chain of causes. No work happens here.

mod addons;
mod bench;
mod binaries;
mod cache;
mod cli;
mod cluster_tools;
mod debian;
mod demo;
mod down;
mod generate;
mod image;
mod images;
mod install;
mod key;
mod lock;
mod postgres_image;
mod prerequisites;
mod process;
mod progress;
mod provider;
mod repository;
mod test;
mod up;
mod wait;

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
