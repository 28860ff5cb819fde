//! The log: one flat JSON object per line on standard output, as the operator's.

mod lines;

use tracing_subscriber::{EnvFilter, fmt};

pub use self::lines::Log;

/// Starts the log, which stops when the result is dropped. `level` is a level (`info`) or a filter (`info,sqlx=debug`).
pub fn init(level: &str) -> anyhow::Result<Log> {
    let filter = EnvFilter::builder().parse(level)?;
    let (log, lines) = Log::start(std::io::stdout())?;
    // Looking up spans, of which there are none, and the module take a quarter of the time of a line.
    let json =
        fmt().json().flatten_event(true).with_current_span(false).with_span_list(false).with_target(false);
    json.with_env_filter(filter).with_writer(lines).init();
    Ok(log)
}
