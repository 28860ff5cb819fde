//! Removes the local cluster, complete or not, of any checkout: processes, mounts, network, cgroups, files.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};

use super::{cgroups, network, plan};
use crate::process;
use crate::wait::{self, Probe};

/// Removes all of the cluster; it is no error if there is none.
pub(crate) fn remove() -> anyhow::Result<()> {
    kill_processes()?;
    unmount()?;
    network::remove()?;
    cgroups::remove().context("failed to remove the cluster's cgroups")?;
    if Path::new(plan::STATE).exists() {
        fs::remove_dir_all(plan::STATE)?;
    }
    Ok(())
}

fn kill_processes() -> anyhow::Result<()> {
    wait::until("the cluster's processes to exit", Duration::from_secs(30), || match cgroups::members() {
        Ok(pids) if pids.is_empty() => Probe::Done(()),
        Ok(pids) => {
            for pid in pids.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?)) {
                // At once: its state is deleted next, so no process needs time to save anything.
                // A process that has exited already is an error here; the next probe counts those that run.
                let _already_exited = kill_process(pid, Signal::KILL);
            }
            Probe::NotYet(format!("{} are running", pids.len()))
        }
        Err(error) => Probe::Never(format!("{error:#}")),
    })?;
    Ok(())
}

fn unmount() -> anyhow::Result<()> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    // Not those of the nodes' mount namespaces, which disappear with a node's last process.
    for path in below_state(&mounts) {
        process::run(Command::new("umount").arg("--lazy").arg(path))?;
    }
    let left = fs::read_to_string("/proc/self/mounts")?;
    let left = below_state(&left);
    anyhow::ensure!(
        left.is_empty(),
        "failed to unmount {}: unmount them, then run the command again",
        left.join(", ")
    );
    Ok(())
}

/// Mounts below the cluster's folder, the last mounted first.
fn below_state(mounts: &str) -> Vec<&str> {
    let paths = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut found: Vec<&str> = paths.filter(|path| Path::new(path).starts_with(plan::STATE)).collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clusters_mounts_are_unmounted_in_reverse_order() {
        let mounts = "a /var/lib/todostack-cluster/mntns ext4 rw 0 0\n\
                      b /var/lib/other ext4 rw 0 0\n\
                      c /var/lib/todostack-cluster/mntns/node-1 nsfs rw 0 0\n";
        let expected = ["/var/lib/todostack-cluster/mntns/node-1", "/var/lib/todostack-cluster/mntns"];
        assert_eq!(below_state(mounts), expected);
    }
}
