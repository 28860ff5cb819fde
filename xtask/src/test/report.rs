//! Runs checks one after the other and reports them: a failure is kept, and the next check runs all the same.

use std::time::Instant;

use todostack_testbed::progress;

#[derive(Default)]
pub(super) struct Report {
    /// Only checks whose name contains this are run.
    only: Option<String>,
    /// The name of each check, and whether it passed.
    outcomes: Vec<(&'static str, bool)>,
    /// The summary lines of the test runners.
    summaries: Vec<String>,
}

impl Report {
    pub(super) fn new(only: Option<String>) -> Self {
        Self { only, ..Self::default() }
    }

    /// Runs one check, unless it is not asked for; `holds` says what holds when it passes. Returns whether it
    /// did not fail.
    pub(super) fn check(
        &mut self,
        name: &'static str,
        holds: &str,
        work: impl FnOnce(&mut Vec<String>) -> anyhow::Result<()>,
    ) -> bool {
        if self.only.as_deref().is_some_and(|only| !name.contains(only)) {
            return true;
        }
        println!("\n=== {name}: {holds}");
        let started = Instant::now();
        let outcome = work(&mut self.summaries);
        let took = progress::format_duration(started.elapsed());
        match &outcome {
            Ok(()) => println!("=== {name}: passed in {took}"),
            Err(error) => println!("=== {name}: FAILED after {took}\n{error:#}"),
        }
        self.outcomes.push((name, outcome.is_ok()));
        outcome.is_ok()
    }

    /// Prints all outcomes and the summary lines; fails if a check failed, or if none ran.
    pub(super) fn close(&self) -> anyhow::Result<()> {
        println!("\n=== Summary");
        for (name, passed) in &self.outcomes {
            println!("{}  {name}", if *passed { "passed" } else { "FAILED" });
        }
        for line in &self.summaries {
            println!("{line}");
        }
        let only = self.only.as_deref().unwrap_or_default();
        anyhow::ensure!(!self.outcomes.is_empty(), "no check has {only:?} in its name");
        let failed = self.outcomes.iter().filter(|(_, passed)| !passed).map(|(name, _)| *name);
        let failed: Vec<&str> = failed.collect();
        anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_run_after_a_failure_and_the_report_fails() {
        let mut report = Report::new(None);
        assert!(!report.check("first", "", |_| anyhow::bail!("broken")));
        assert!(report.check("second", "", |_| Ok(())));
        assert_eq!(report.close().unwrap_err().to_string(), "failed: first");
        assert_eq!(report.outcomes.len(), 2);
    }

    #[test]
    fn a_report_without_checks_fails() {
        let mut report = Report::new(Some("clipy".to_owned()));
        report.check("clippy", "", |_| Ok(()));
        assert_eq!(report.close().unwrap_err().to_string(), "no check has \"clipy\" in its name");
    }
}
