//! What is taken away from the cluster for a while and comes back whatever becomes of the test.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The local cluster's record of its processes (see testbed/README.md).
const RECORD: &str = "/var/lib/todostack-cluster/cluster.json";

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
        let record = std::fs::read_to_string(Path::new(RECORD))
            .with_context(|| format!("failed to read {RECORD}: does the cluster run on this machine?"))?;
        let record: Value = serde_json::from_str(&record)?;
        let processes = record.get("processes").and_then(Value::as_array).context("no processes")?;
        let is = |process: &&Value| process.get("name").and_then(Value::as_str) == Some(name);
        let found = processes.iter().find(is).with_context(|| format!("no process {name}"))?;
        let pid = found.get("pid").and_then(Value::as_u64).context("no pid")?.to_string();
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
