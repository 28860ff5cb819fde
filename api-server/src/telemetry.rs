//! The log: one JSON object per line on standard output.

mod json;
mod lines;

use tracing_subscriber::{EnvFilter, fmt};

pub use self::lines::Log;

/// Starts the log, which ends when the answer is dropped. `level` is a level (`info`) or a filter (`info,sqlx=debug`).
pub fn init(level: &str) -> anyhow::Result<Log> {
    let filter = EnvFilter::builder().parse(level)?;
    let (log, lines) = Log::start(std::io::stdout())?;
    fmt().event_format(json::JsonLine).with_env_filter(filter).with_writer(lines).init();
    Ok(log)
}
