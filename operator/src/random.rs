//! The one place that reads a source of randomness: passwords, revisions of credentials, and jitter.

use std::time::Duration;

use rand::{RngExt as _, distr::Alphanumeric};
use todostack_stack::credentials::GeneratedSecrets;

/// Length of a generated password: 32 letters and digits have 190 bits.
const PASSWORD_LENGTH: usize = 32;
/// Length of a revision. It must differ from earlier ones, but need not be hard to guess.
const REVISION_LENGTH: usize = 12;

/// Values for credentials that are new or change, from the operating system's generator.
pub(crate) fn secrets() -> GeneratedSecrets {
    let text = |length| rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect();
    GeneratedSecrets {
        superuser_password: text(PASSWORD_LENGTH),
        app_password: text(PASSWORD_LENGTH),
        revision: text(REVISION_LENGTH),
    }
}

/// A time around `mean`, so that stacks that were created together are not reconciled together forever.
pub(crate) fn jitter(mean: Duration) -> Duration {
    mean.mul_f64(rand::rng().random_range(0.8..1.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_differ_and_need_no_escaping_in_urls_and_shells() {
        let (one, two) = (secrets(), secrets());
        assert_ne!(one.app_password, two.app_password);
        assert_ne!(one.app_password, one.superuser_password);
        assert!(one.app_password.chars().all(|c| c.is_ascii_alphanumeric()));
        assert_eq!(one.app_password.len(), PASSWORD_LENGTH);
    }
}
