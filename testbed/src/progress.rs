//! Progress output: which step runs and how long it takes. Commands print nothing else on standard error.

use std::sync::mpsc;
use std::time::{Duration, Instant};

const HEARTBEAT: Duration = Duration::from_secs(20);
const REPORTED_FROM: Duration = Duration::from_secs(2);

/// Runs `work` under a heading. `usual` is how long it usually takes; empty for steps below 2 s.
pub fn step<T>(what: &str, usual: &str, work: impl FnOnce() -> T) -> T {
    if usual.is_empty() {
        eprintln!("==> {what}");
    } else {
        eprintln!("==> {what} (usually {usual})");
    }
    let started = Instant::now();
    let (done, is_done) = mpsc::channel::<()>();
    let beats = std::thread::spawn(move || {
        while is_done.recv_timeout(HEARTBEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("    … still running after {}", format_duration(started.elapsed()));
        }
    });
    let outcome = work();
    drop(done);
    // A heartbeat that panicked has lost a line of output at most.
    drop(beats.join());
    if started.elapsed() >= REPORTED_FROM {
        eprintln!("    took {}", format_duration(started.elapsed()));
    }
    outcome
}

pub fn detail(line: &str) {
    eprintln!("    {line}");
}

/// A duration with its units: `1.5 s`, `59 s`, `1 min 1 s`.
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1_500, "1.5 s")]
    #[case(59_900, "59 s")]
    #[case(61_000, "1 min 1 s")]
    fn a_duration_has_the_units_of_its_size(#[case] millis: u64, #[case] formatted: &str) {
        assert_eq!(format_duration(Duration::from_millis(millis)), formatted);
    }
}
