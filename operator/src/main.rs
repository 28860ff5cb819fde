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
mod corrections;
mod crd;
mod error;
mod health;
mod hearing;
mod installation;
mod lane;
mod leader;
mod lease_name;
mod metrics;
mod observe;
mod other_operator;
mod probes;
mod publish;
mod random;
mod reconcile;
mod requeue;
mod running;
mod shard;
mod telemetry;
mod unreadable;
mod upgrades;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

use crate::args::Args;

/// A reconcile allocates some thousand times: glibc's allocator takes two fifths of its time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// On one thread: a reconcile computes for about a millisecond, and waits for the API server otherwise.
#[tokio::main(flavor = "current_thread")]
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
