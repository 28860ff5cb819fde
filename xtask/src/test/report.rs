//! Runs checks one after the other and reports them: a failure is kept, and the next check runs all the same.

use std::time::Instant;

use todostack_testbed::progress;

/// The outcomes of the checks that ran.
pub(super) struct Report {
    /// Only checks whose name contains this are run.
    only: Option<String>,
    /// The name of each check, and the error if it failed.
    outcomes: Vec<(&'static str, Option<String>)>,
    /// The summary lines of the test runners.
    summaries: Vec<String>,
}

impl Report {
    pub(super) fn new(only: Option<String>) -> Self {
        Self { only, outcomes: Vec::new(), summaries: Vec::new() }
    }

    /// Runs one check, unless it is not asked for; `holds` says what holds when it passes.
    pub(super) fn check(
        &mut self,
        name: &'static str,
        holds: &str,
        work: impl FnOnce(&mut Vec<String>) -> anyhow::Result<()>,
    ) {
        if !self.includes(name) {
            return;
        }
        println!("\n=== {name}: {holds}");
        let started = Instant::now();
        let failure = work(&mut self.summaries).err().map(|error| format!("{error:#}"));
        let took = progress::format_duration(started.elapsed());
        match &failure {
            None => println!("=== {name}: passed in {took}"),
            Some(why) => println!("=== {name}: FAILED after {took}\n{why}"),
        }
        self.outcomes.push((name, failure));
    }

    /// Reports a check that could not run as failed, unless it is not asked for.
    pub(super) fn fail(&mut self, name: &'static str, why: &str) {
        if self.includes(name) {
            println!("\n=== {name}: FAILED\n{why}");
            self.outcomes.push((name, Some(why.to_owned())));
        }
    }

    pub(super) fn has_failed(&self, name: &str) -> bool {
        self.failed().contains(&name)
    }

    /// Prints all outcomes and the summary lines; fails if a check failed, or if none ran.
    pub(super) fn close(&self) -> anyhow::Result<()> {
        println!("\n=== Summary");
        for (name, failure) in &self.outcomes {
            let outcome = if failure.is_some() { "FAILED" } else { "passed" };
            println!("{outcome}  {name}");
        }
        for line in &self.summaries {
            println!("{line}");
        }
        let only = self.only.as_deref().unwrap_or_default();
        anyhow::ensure!(!self.outcomes.is_empty(), "no check has {only:?} in its name");
        let failed = self.failed();
        anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }

    fn includes(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| name.contains(only))
    }

    fn failed(&self) -> Vec<&'static str> {
        self.outcomes.iter().filter(|(_, failure)| failure.is_some()).map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_run_after_a_failure_and_the_report_fails() {
        let mut report = Report::new(None);
        report.check("first", "", |_| anyhow::bail!("broken"));
        report.check("second", "", |_| Ok(()));
        report.fail("third", "it could not run");
        assert_eq!(report.outcomes.len(), 3);
        assert_eq!(report.close().unwrap_err().to_string(), "failed: first, third");
    }

    #[test]
    fn a_report_without_checks_fails() {
        let mut report = Report::new(Some("clipy".to_owned()));
        report.check("clippy", "", |_| Ok(()));
        report.fail("cluster: tests", "it could not run");
        assert_eq!(report.close().unwrap_err().to_string(), "no check has \"clipy\" in its name");
    }
}
