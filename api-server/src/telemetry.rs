//! The log: one JSON object per line on standard output.

use tracing_subscriber::{EnvFilter, fmt};

/// Starts the log. `level` is a level (`info`) or a filter (`info,sqlx=debug`).
pub fn init(level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(level)?;
    fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .init();
    Ok(())
}
