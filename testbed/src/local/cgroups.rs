//! The local cluster's cgroups. All its processes are in them, and are found through them when it is removed.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use fs_err as fs;

use super::plan::{self, Node};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    root: PathBuf,
    /// The controllers, with cgroup v1 only.
    controllers: Option<String>,
}

impl Hierarchy {
    /// Whether it is the hierarchy of a controller of cgroup v1.
    fn has_controller(&self, name: &str) -> bool {
        self.controllers.as_deref().is_some_and(|all| all.split(',').any(|one| one == name))
    }
}

/// The hierarchies of this machine: one with cgroup v2, one per controller with v1.
pub(crate) fn hierarchies() -> anyhow::Result<Vec<Hierarchy>> {
    let found = parse(&fs::read_to_string("/proc/self/mounts")?);
    anyhow::ensure!(!found.is_empty(), "no cgroups are mounted: mount them below /sys/fs/cgroup");
    Ok(found)
}

/// Whether this machine has cgroup v1, which the kubelet rejects unless it is configured for it.
pub(crate) fn are_version_1() -> anyhow::Result<bool> {
    Ok(hierarchies()?.iter().any(|hierarchy| hierarchy.controllers.is_some()))
}

fn parse(mounts: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in mounts.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [_, root, kind, options, ..] = fields.as_slice() else { continue };
        let controllers = match *kind {
            "cgroup" => Some((*options).to_owned()),
            "cgroup2" => None,
            _ => continue,
        };
        if !found.iter().any(|hierarchy| hierarchy.root == Path::new(root)) {
            found.push(Hierarchy { root: PathBuf::from(root), controllers });
        }
    }
    found
}

/// Creates the cgroups of the cluster's own processes and of each node's pods.
pub(crate) fn create(nodes: u8) -> anyhow::Result<()> {
    let pods = Node::all(nodes).map(Node::cgroup);
    let wanted: Vec<String> = [plan::PREFIX.to_owned(), system()].into_iter().chain(pods).collect();
    for hierarchy in hierarchies()? {
        for cgroup in &wanted {
            let folder = hierarchy.root.join(cgroup);
            fs::create_dir_all(&folder)?;
            if let (None, Some(parent)) = (&hierarchy.controllers, folder.parent()) {
                delegate(parent)?;
            }
            if hierarchy.has_controller("cpuset") {
                // A new cpuset of version 1 is empty, and rejects every process until it has CPUs and memory.
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    fs::write(folder.join(file), fs::read_to_string(hierarchy.root.join(file))?)?;
                }
            }
        }
    }
    Ok(())
}

/// With cgroup v2, enables in the cgroups below those available controllers that the kubelet needs.
fn delegate(folder: &Path) -> anyhow::Result<()> {
    const WANTED: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];
    let available = fs::read_to_string(folder.join("cgroup.controllers"))?;
    let wanted = available.split_whitespace().filter(|controller| WANTED.contains(controller));
    let line = wanted.map(|controller| format!("+{controller}")).collect::<Vec<_>>().join(" ");
    let folder_name = folder.display();
    fs::write(folder.join("cgroup.subtree_control"), line).with_context(|| {
        format!("failed to delegate controllers below {folder_name}: a container needs its own cgroup namespace for that")
    })
}

/// Moves a process into the cluster's cgroup; all that it starts is then in it too.
pub(crate) fn adopt(pid: u32) -> anyhow::Result<()> {
    let path = listing()?.root.join(system()).join("cgroup.procs");
    fs::write(path, pid.to_string()).context("failed to move a process into the cluster's cgroup")
}

pub(crate) fn members() -> anyhow::Result<Vec<u32>> {
    let mut pids = Vec::new();
    for folder in folders(&listing()?.root.join(plan::PREFIX)) {
        // A cgroup that was removed since the listing has no processes.
        let Ok(text) = std::fs::read_to_string(folder.join("cgroup.procs")) else { continue };
        pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
    }
    Ok(pids)
}

/// Removes the cgroups, which must be empty.
pub(crate) fn remove() -> anyhow::Result<()> {
    for hierarchy in hierarchies()? {
        let top = hierarchy.root.join(plan::PREFIX);
        for folder in folders(&top) {
            match fs::remove_dir(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

fn system() -> String {
    format!("{}/system", plan::PREFIX)
}

/// The hierarchy that lists the cluster's processes.
fn listing() -> anyhow::Result<Hierarchy> {
    let all = hierarchies()?;
    // On a machine with both versions, version 2 has no controllers, and pods are only in the pids hierarchy.
    let version_1 = all.iter().find(|hierarchy| hierarchy.has_controller("pids"));
    let listing = version_1.or_else(|| all.iter().find(|hierarchy| hierarchy.controllers.is_none()));
    listing.cloned().context("this machine has no pids cgroup")
}

/// A folder and all below it, the deepest first.
fn folders(top: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(top) else { return Vec::new() };
    let below = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    below.flat_map(|entry| folders(&entry.path())).chain([top.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_controller_of_version_1_is_a_hierarchy() {
        let mounts = "proc /proc proc rw 0 0\n\
                      cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let found = parse(mounts);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].controllers.as_deref(), Some("rw,relatime,cpu,cpuacct"));
        assert_eq!(found[1], Hierarchy { root: "/sys/fs/cgroup/unified".into(), controllers: None });
    }

    #[test]
    fn only_controllers_that_are_there_are_delegated() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cgroup.controllers"), "cpu io memory\n").unwrap();
        delegate(folder.path()).unwrap();
        let written = std::fs::read_to_string(folder.path().join("cgroup.subtree_control")).unwrap();
        assert_eq!(written, "+cpu +memory");
    }

    #[test]
    fn folders_come_before_those_that_hold_them() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("a/b")).unwrap();
        let found = folders(top.path());
        assert_eq!(found, [top.path().join("a/b"), top.path().join("a"), top.path().to_owned()]);
    }
}
