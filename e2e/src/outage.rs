//! Processes of the cluster that a test suspends, and that continue whatever the test's outcome.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use todostack_testbed::local::record::Record;

// A process that is suspended until this is dropped.
#[derive(Debug)]
pub struct SuspendedProcess {
    pid: String,
}

impl SuspendedProcess {
    // `name` is the name of the process's log file.
    pub fn suspend(name: &str) -> Result<Self> {
        let record = Record::read().context("no local cluster runs on this machine")?;
        let process = record.process(name).with_context(|| format!("the cluster has no process {name}"))?;
        let pid = process.pid.to_string();
        kill("-STOP", &pid)?;
        Ok(Self { pid })
    }
}

impl Drop for SuspendedProcess {
    fn drop(&mut self) {
        if let Err(error) = kill("-CONT", &self.pid) {
            eprintln!("process {} is still suspended: {error:#}", self.pid);
        }
    }
}

fn kill(signal: &str, pid: &str) -> Result<()> {
    let status = Command::new("kill").args([signal, pid]).status().context("failed to run kill")?;
    ensure!(status.success(), "kill {signal} {pid}: {status}");
    Ok(())
}
