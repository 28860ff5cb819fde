//! The operator's process: arguments, logging, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use todostack_operator::{args::Args, controller, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = telemetry::start(&args.log_level, args.log_format) {
        eprintln!("todostack-operator: {error:#}");
        return ExitCode::from(2);
    }
    match controller::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %format!("{error:#}"), "Ended");
            ExitCode::FAILURE
        }
    }
}
