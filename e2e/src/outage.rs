//! What is taken away from the cluster for a while and comes back whatever becomes of the test.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use todostack_testbed::local::record::Record;

/// A process of the cluster that stands still until this is dropped.
#[derive(Debug)]
pub struct Stalled {
    pid: String,
}

impl Stalled {
    /// Stops the process of this name, as in the names of the logs.
    ///
    /// # Errors
    /// It is not on this machine.
    pub fn process(name: &str) -> Result<Self> {
        let record = Record::read().context("no local cluster runs on this machine")?;
        let process = record.process(name).with_context(|| format!("the cluster has no process {name}"))?;
        let pid = process.pid.to_string();
        signal("-STOP", &pid)?;
        Ok(Self { pid })
    }
}

impl Drop for Stalled {
    fn drop(&mut self) {
        if let Err(error) = signal("-CONT", &self.pid) {
            eprintln!("process {} stands still: {error:#}", self.pid);
        }
    }
}

fn signal(which: &str, pid: &str) -> Result<()> {
    let status = Command::new("kill").args([which, pid]).status().context("failed to run kill")?;
    ensure!(status.success(), "kill {which} {pid}: {status}");
    Ok(())
}
