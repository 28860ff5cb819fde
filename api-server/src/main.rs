//! The command: parses the configuration, runs the subcommand, turns an error into one line and an exit code.
//! What the subcommands do is in the library.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use mimalloc::MiMalloc;
use todostack_api::{
    chain,
    config::{Cli, Command, HealthcheckArgs},
    database::Database,
    healthcheck, migrate, openapi_json, serve, telemetry, trial,
};

/// A request allocates some forty times: glibc's allocator takes an eighth of its time, this one half of
/// that. Without transparent huge pages (`no_thp`), which alone take 9 MiB.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Kubernetes shows the last line of the log of a container that failed.
            eprintln!("todostack-api: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// On one thread: the workers that answer requests have their own.
#[tokio::main(flavor = "current_thread")]
async fn run(cli: Cli) -> anyhow::Result<()> {
    let Cli { command, serve: serve_args, auth, traces, database, log } = cli;
    // Kept to the end, since dropping it writes the last lines.
    let _log = telemetry::init(&log.log_level)?;
    let database = Database::from_args(&database)?;
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(database, serve_args, auth, traces).await,
        Command::Migrate(args) => migrate::run(database.with_few_connections(), args).await,
        Command::Try(args) => trial::run(&database, args, serve_args, (auth, traces)).await,
        Command::Healthcheck(HealthcheckArgs { keys: false }) => {
            healthcheck::run(serve_args.operations_listen).await
        }
        Command::Healthcheck(HealthcheckArgs { keys: true }) => {
            healthcheck::keys(serve_args.operations_listen).await
        }
        Command::Openapi => Ok(std::io::stdout().write_all(&openapi_json())?),
    }
}
