//! The one place that reads a clock. Pure steps take the time as an argument.

use std::time::Instant;

use jiff::Timestamp;

/// The wall-clock time, for statuses and grace periods.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The time of the runtime's timers, which tests can pause.
pub(crate) fn timer() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// The monotonic time, for durations.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
