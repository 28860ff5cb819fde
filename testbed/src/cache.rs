//! The user's cache folder: results of long builds, shared by all checkouts, each under a key of its sources.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use fs_err as fs;

use crate::lock;

/// `$XDG_CACHE_HOME/todostack`, or `~/.cache/todostack`.
pub fn folder() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        return Ok(Path::new(&path).join("todostack"));
    }
    let home = std::env::var_os("HOME").context("HOME is not set: set it, or XDG_CACHE_HOME")?;
    Ok(Path::new(&home).join(".cache/todostack"))
}

/// The folder of the cached `name`, which `build` fills when it does not exist yet.
pub fn entry(name: &str, build: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<PathBuf> {
    entry_in(&folder()?, name, build)
}

fn entry_in(
    folder: &Path,
    name: &str,
    build: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(folder)?;
    let _lock = lock::folder(folder)?;
    // Another command may have built it while this one waited for the lock.
    if path.exists() {
        return Ok(path);
    }
    // Renamed once `build` returns, so that no entry is ever incomplete.
    let unfinished = folder.join(format!("{name}.unfinished"));
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    fs::create_dir_all(&unfinished)?;
    build(&unfinished)?;
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn an_existing_entry_is_not_built_again() {
        let cache = tempfile::tempdir().unwrap();
        let build = |folder: &Path| Ok(std::fs::write(folder.join("file"), "built")?);
        let path = entry_in(cache.path(), "thing-1", build).unwrap();
        assert_eq!(std::fs::read_to_string(path.join("file")).unwrap(), "built");
        entry_in(cache.path(), "thing-1", |_| anyhow::bail!("built twice")).unwrap();
    }

    #[test]
    fn a_failed_build_leaves_no_entry() {
        let cache = tempfile::tempdir().unwrap();
        assert!(entry_in(cache.path(), "thing-1", |_| anyhow::bail!("no")).is_err());
        assert!(!cache.path().join("thing-1").exists());
    }

    #[test]
    fn concurrent_commands_build_an_entry_once() {
        let cache = tempfile::tempdir().unwrap();
        let count = AtomicUsize::new(0);
        let build = |_: &Path| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| entry_in(cache.path(), "thing-1", build).unwrap());
            }
        });
        assert_eq!(count.into_inner(), 1);
    }
}
