//! `kubectl todostack`: parse the command line, run one command, print what it came to. No work happens here.

mod access;
mod args;
mod cluster;
mod commands;
mod error;
mod examine;
#[cfg(test)]
mod fixtures;
mod forbidden;
mod inspect;
mod kubectl;
mod placeholders;
mod read;
mod report;
mod settings;
mod text;
mod tree;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(args::Args::parse()).await {
        Ok(outcome) => ExitCode::from(outcome),
        Err(error) => {
            anstream::eprintln!("error: {}", error::chain(&error));
            ExitCode::from(error::NO_ANSWER)
        }
    }
}
