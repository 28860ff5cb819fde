//! A cluster that is being started: its record grows with every process, so that an interrupted start can be removed.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::certificates::Authority;
use super::ownership::{Process, Record};
use super::{cgroups, plan};
use crate::binaries::Binaries;
use crate::process;
use crate::wait::{self, Seen};

/// What the parts of a start share.
pub(crate) struct Starting<'a> {
    /// Kubernetes' programs.
    pub(crate) binaries: &'a Binaries,
    /// Signs the nodes' certificates.
    pub(crate) authority: Authority,
    /// What has been started so far.
    pub(crate) record: Record,
}

impl Starting<'_> {
    /// Starts a long-running process, its output in `log/NAME.log`.
    pub(crate) fn detach(&mut self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        let log = log(name);
        let pid = process::detach(command, &log)?;
        cgroups::adopt(pid)?;
        let Some(started) = Process::running(name, pid) else {
            anyhow::bail!("{name} ended at once: see {}", log.display());
        };
        self.record.processes.push(started);
        self.record.write()
    }

    /// Waits for a condition, but not when a process that it needs has ended.
    pub(crate) fn until(
        &self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut() -> Seen<()>,
    ) -> anyhow::Result<()> {
        wait::until(what, limit, || {
            match self.record.processes.iter().find(|process| !process.is_alive()) {
                Some(dead) => Seen::Never(last_words(&dead.name)),
                None => probe(),
            }
        })?;
        Ok(())
    }
}

fn log(name: &str) -> PathBuf {
    plan::state("log").join(format!("{name}.log"))
}

/// Why a process ended, in its own words.
fn last_words(name: &str) -> String {
    const KEPT: usize = 5;
    let path = log(name);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(KEPT)..).unwrap_or_default().join("\n    ");
    format!("{name} ended; the end of {}:\n    {last}", path.display())
}
