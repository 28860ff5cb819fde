//! Waits for a condition of the outside world until a deadline. The only place that sleeps.

use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(200);

/// What did not come true.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not in time.
    #[error("{what} did not happen within {} s{last}", limit.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// What was there instead.
        last: String,
    },
    /// And it cannot any more.
    #[error("{what} cannot happen: {why}")]
    Hopeless {
        /// What was waited for.
        what: String,
        /// What stands in the way.
        why: String,
    },
}

/// What a probe saw.
pub enum Seen<T> {
    /// What was waited for.
    Done(T),
    /// Not yet; the words say what is there instead, for the message when time runs out.
    NotYet(String),
    /// Never any more; the words say why.
    Never(String),
}

impl<T> Seen<T> {
    /// `Done` if the flag is set.
    pub fn once(value: T, flag: bool) -> Self {
        if flag { Self::Done(value) } else { Self::NotYet(String::new()) }
    }
}

/// Probes until it is done or `limit` has passed.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Seen<T>) -> Result<T, Error> {
    let started = Instant::now();
    loop {
        match probe() {
            Seen::Done(value) => return Ok(value),
            Seen::NotYet(last) if started.elapsed() >= limit => {
                let last = if last.is_empty() { last } else { format!(": {last}") };
                return Err(Error::TimedOut { what: what.to_owned(), limit, last });
            }
            Seen::Never(why) => return Err(Error::Hopeless { what: what.to_owned(), why }),
            Seen::NotYet(_) => std::thread::sleep(INTERVAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_out_of_time_says_what_was_seen_last() {
        let error =
            until::<()>("a ready node", Duration::ZERO, || Seen::NotYet("NotReady".into())).unwrap_err();
        assert_eq!(error.to_string(), "a ready node did not happen within 0 s: NotReady");
    }

    #[test]
    fn it_ends_with_the_first_success() {
        let mut tries = 0;
        let value = until("third try", Duration::from_secs(5), || {
            tries += 1;
            Seen::once(tries, tries == 3)
        });
        assert_eq!(value.unwrap(), 3);
    }
}
