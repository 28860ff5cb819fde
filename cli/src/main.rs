//! `kubectl todostack`: parses the command line, runs one command and prints its error. The commands are in
//! `commands.rs`.

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
mod release;
mod report;
mod settings;
mod snapshot;
mod text;
mod tree;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(args::Args::parse()).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            anstream::eprintln!("error: {}", error::chain(&error));
            ExitCode::from(error::FAILED)
        }
    }
}
