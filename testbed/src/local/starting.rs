//! A cluster that is being started. Its record is written with every process, so that `down` can remove the
//! rest of an interrupted start.

use std::process::Command;
use std::time::Duration;

use super::record::{Process, Record};
use super::{cgroups, plan};
use crate::binaries::Binaries;
use crate::control_plane::certificates::Authority;
use crate::process;
use crate::wait::{self, Probe};

pub(crate) struct Starting<'a> {
    pub(crate) binaries: &'a Binaries,
    pub(crate) authority: Authority,
    pub(crate) record: Record,
}

impl Starting<'_> {
    /// Starts a long-running process with its output in `log/NAME.log`.
    pub(crate) fn detach(&mut self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        let log = plan::log(name);
        let pid = process::detach(command, &log)?;
        // Before the record: processes are removed by their cgroup, the record only reports dead ones.
        cgroups::adopt(pid)?;
        let Some(started) = Process::running(name, pid) else {
            anyhow::bail!("{name} exited immediately: see {}", log.display());
        };
        self.record.processes.push(started);
        self.record.write()
    }

    /// Waits for a condition; fails at once when a process of the cluster has exited.
    pub(crate) fn until(
        &self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut() -> Probe<()>,
    ) -> anyhow::Result<()> {
        wait::until(what, limit, || {
            match self.record.processes.iter().find(|process| !process.is_alive()) {
                Some(dead) => Probe::Never(exited(&dead.name)),
                None => probe(),
            }
        })?;
        Ok(())
    }
}

fn exited(name: &str) -> String {
    let path = plan::log(name);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    format!("{name} exited; the end of {}:{}", path.display(), process::last_lines(&text, 5))
}
