//! The log: one flat JSON object per line on standard output, as the operator's on standard error. The format
//! of a line is in `json`, how lines are written in `lines`.

mod json;
mod lines;

use tracing_subscriber::{EnvFilter, fmt};

pub use self::lines::Log;

/// Starts the log, which stops when the result is dropped. `level` is a level (`info`) or a filter
/// (`info,sqlx=debug`).
pub fn init(level: &str) -> anyhow::Result<Log> {
    let filter = EnvFilter::builder().parse(level)?;
    let (log, lines) = Log::start(std::io::stdout())?;
    fmt().event_format(json::JsonLine).with_env_filter(filter).with_writer(lines).init();
    Ok(log)
}
