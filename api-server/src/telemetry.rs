//! The log: one flat JSON object per line on standard output, as the operator's on standard error. How lines
//! are written is in `lines`.

mod lines;

use tracing_subscriber::{EnvFilter, fmt};

pub use self::lines::Log;

/// Starts the log, which stops when the result is dropped. `level` is a level (`info`) or a filter
/// (`info,sqlx=debug`).
pub fn init(level: &str) -> anyhow::Result<Log> {
    let filter = EnvFilter::builder().parse(level)?;
    let (log, lines) = Log::start(std::io::stdout())?;
    // Without spans, of which there are none, and the module: they take a tenth of the time of a line.
    let json =
        fmt().json().flatten_event(true).with_current_span(false).with_span_list(false).with_target(false);
    json.with_env_filter(filter).with_writer(lines).init();
    Ok(log)
}
