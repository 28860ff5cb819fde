//! Says what is being done and how long it takes. Everything a command prints while it works comes from here.

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often a step that takes long says that it is still at it.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Shorter steps print one line only.
const WORTH_A_TIME: Duration = Duration::from_secs(2);

/// Runs `work` under a heading. `usual` is how long it usually takes, for steps over 2 s.
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
            eprintln!("    … still at it after {}", spell(started.elapsed()));
        }
    });
    let outcome = work();
    drop(done);
    // A heartbeat that panicked has lost nothing but a line of output.
    drop(beats.join());
    if started.elapsed() >= WORTH_A_TIME {
        eprintln!("    took {}", spell(started.elapsed()));
    }
    outcome
}

/// One line of detail below the current step.
pub fn note(line: &str) {
    eprintln!("    {line}");
}

/// A duration as people say it.
#[must_use]
pub fn spell(duration: Duration) -> String {
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
    fn durations_read_as_people_say_them(#[case] millis: u64, #[case] spelled: &str) {
        assert_eq!(spell(Duration::from_millis(millis)), spelled);
    }
}
