//! The operator's process: arguments, logging, run, exit code.
//!
//! ```text
//!            ┌─ reads ─┐┌──────── pure ────────┐┌ writes ┐┌──────── pure ────────┐┌ writes ┐
//! TodoStack ─► observe ─► resolve ─► build ─────► apply ──► diagnose ─► status ───► publish
//!              Observed    Stack     Desired      Applied   Findings    TodoStackStatus
//! ```
//!
//! `reconcile.rs` has the steps in order. The pure ones are in the crate `todostack-stack`; here is what
//! reads, writes and runs.

mod apply;
mod args;
mod backoff;
mod clients;
mod clock;
mod coalesce;
mod context;
mod controller;
mod crd;
mod error;
mod metrics;
mod observe;
mod probes;
mod publish;
mod random;
mod reconcile;
mod telemetry;
mod unreadable;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;

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
            tracing::error!(error = %format!("{error:#}"), "Operator failed");
            ExitCode::FAILURE
        }
    }
}
