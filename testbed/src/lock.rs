//! Keeps two commands on this machine from doing the same work at once. The callers decide what is locked.

use std::path::Path;

use fs_err::File;

use crate::progress;

/// Locks `folder` until the returned file is dropped; waits while another command holds the lock.
pub fn folder(folder: &Path) -> anyhow::Result<File> {
    // The lock is on the folder itself, so that no lock file stays behind.
    let file = File::open(folder)?;
    if file.file().try_lock().is_err() {
        progress::detail(&format!("Waiting for another cargo xtask, which has locked {}", folder.display()));
        file.file().lock()?;
    }
    Ok(file)
}
