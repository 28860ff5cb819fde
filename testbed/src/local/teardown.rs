//! Removes the local cluster, whole or in pieces, whoever started it: processes, mounts, network, cgroups, files.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};

use super::{cgroups, network, plan};
use crate::process;
use crate::wait::{self, Seen};

/// Removes everything; nothing to remove is no error.
pub(crate) fn remove() -> anyhow::Result<()> {
    end_processes()?;
    unmount()?;
    network::remove()?;
    cgroups::remove().context("failed to remove the cluster's cgroups")?;
    match fs::remove_dir_all(plan::STATE) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Ends every process of the cluster: what it keeps is thrown away, so nobody is asked politely.
fn end_processes() -> anyhow::Result<()> {
    let mut failed = None;
    let ended =
        wait::until(
            "the end of the cluster's processes",
            Duration::from_secs(30),
            || match cgroups::members() {
                Ok(pids) if pids.is_empty() => Seen::Done(()),
                Ok(pids) => {
                    for pid in &pids {
                        kill(*pid);
                    }
                    Seen::NotYet(format!("{} are left", pids.len()))
                }
                Err(error) => {
                    failed = Some(error);
                    Seen::Done(())
                }
            },
        );
    match failed {
        Some(error) => Err(error),
        None => Ok(ended?),
    }
}

fn kill(pid: u32) {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(number) = number {
        // It may have ended meanwhile; whether any is left is seen at the next look.
        let _already_gone = kill_process(number, Signal::KILL);
    }
}

/// Unmounts what the cluster mounted on this machine: with the last process the nodes' own mounts are gone already.
fn unmount() -> anyhow::Result<()> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    for path in ours(&mounts) {
        process::run(Command::new("umount").arg("--lazy").arg(path))?;
    }
    let left = fs::read_to_string("/proc/self/mounts")?;
    let left = ours(&left);
    anyhow::ensure!(
        left.is_empty(),
        "still mounted: {}: `umount` them, then run the command again",
        left.join(", ")
    );
    Ok(())
}

/// Mounts below the cluster's folder, the last mounted first.
fn ours(mounts: &str) -> Vec<&str> {
    let paths = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut found: Vec<&str> = paths.filter(|path| Path::new(path).starts_with(plan::STATE)).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_taken_off_in_reverse_and_those_of_others_stay() {
        let mounts = "a /var/lib/todostack-cluster/mntns ext4 rw 0 0\n\
                      b /var/lib/other ext4 rw 0 0\n\
                      c /var/lib/todostack-cluster/mntns/node-1 nsfs rw 0 0\n";
        let expected = ["/var/lib/todostack-cluster/mntns/node-1", "/var/lib/todostack-cluster/mntns"];
        assert_eq!(ours(mounts), expected);
    }
}
