//! A child process with its own process group and log, which ends with the value. Whose it is, is not here.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::wait::{self, Probe};

pub struct Child {
    name: String,
    log: PathBuf,
    process: std::process::Child,
}

impl Child {
    /// Starts a program with its output in `FOLDER/NAME.log`.
    pub fn start(name: &str, command: &mut Command, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = fs::OpenOptions::new().create(true).append(true).open(&log)?.into_file();
        let errors = file.try_clone()?;
        // A group of its own: Ctrl-C at the terminal reaches this program alone, which ends its children.
        command.process_group(0).stdin(Stdio::null()).stdout(file).stderr(errors);
        let process = command
            .spawn()
            .with_context(|| format!("failed to start `{}`", crate::process::show(command)))?;
        Ok(Self { name: name.to_owned(), log, process })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Why it no longer runs; nothing while it does.
    pub fn exited(&mut self) -> Option<String> {
        let status = self.process.try_wait().ok()??;
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        Some(format!("{} exited: {status}{}", self.name, crate::process::last_lines(&text, 5)))
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends SIGKILL.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Waits until it has exited.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<()> {
        let what = format!("{} to exit", self.name);
        wait::until(&what, limit, || Probe::done_if(matches!(self.process.try_wait(), Ok(Some(_))), ()))?;
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // It may have exited already; its id is its own until it is waited for.
            let _exited = kill_process(pid, signal);
        }
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.process.id()).ok()?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            if let Some(pid) = self.pid() {
                let _exited = kill_process_group(pid, Signal::KILL);
            }
            let _status = self.process.wait();
        }
    }
}
