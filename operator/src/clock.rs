//! The one place that reads a clock. Pure steps take the time as an argument.

use std::time::Instant;

use jiff::Timestamp;

/// The wall-clock time, for statuses and grace periods.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The monotonic time, for durations.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
