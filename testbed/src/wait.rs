//! Waits for a condition with a deadline. This is the only place that sleeps.

use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(200);

/// Why waiting for a condition, as in "waiting for …", ended without it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `last` is what the last probe reported, after a colon, or nothing.
    #[error("timed out after {} s waiting for {what}{last}", limit.as_secs())]
    TimedOut { what: String, limit: Duration, last: String },
    #[error("stopped waiting for {what}: {why}")]
    Impossible { what: String, why: String },
}

pub enum Probe<T> {
    Done(T),
    /// The text says why, for the error at the deadline.
    NotYet(String),
    /// The condition can no longer be met; the text says why.
    Never(String),
}

impl<T> Probe<T> {
    pub fn done_if(is_met: bool, value: T) -> Self {
        if is_met { Self::Done(value) } else { Self::NotYet(String::new()) }
    }
}

/// Probes until the condition is met or `limit` has passed.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Probe<T>) -> Result<T, Error> {
    let started = Instant::now();
    loop {
        match probe() {
            Probe::Done(value) => return Ok(value),
            Probe::NotYet(last) if started.elapsed() >= limit => {
                let last = if last.is_empty() { last } else { format!(": {last}") };
                return Err(Error::TimedOut { what: what.to_owned(), limit, last });
            }
            Probe::Never(why) => return Err(Error::Impossible { what: what.to_owned(), why }),
            Probe::NotYet(_) => std::thread::sleep(INTERVAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_reports_the_last_probe() {
        let error =
            until::<()>("a ready node", Duration::ZERO, || Probe::NotYet("NotReady".into())).unwrap_err();
        assert_eq!(error.to_string(), "timed out after 0 s waiting for a ready node: NotReady");
    }

    #[test]
    fn waiting_ends_with_the_first_success() {
        let mut tries = 0;
        let value = until("third try", Duration::from_secs(5), || {
            tries += 1;
            Probe::done_if(tries == 3, tries)
        });
        assert_eq!(value.unwrap(), 3);
    }
}
