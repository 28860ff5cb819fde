//! Keeps two commands on this machine from doing the same at once. What is worth it, its callers know.

use std::path::Path;

use fs_err::File;

use crate::progress;

/// Holds `folder` until the file is dropped, waiting for another command that does. Leaves nothing behind.
pub fn folder(folder: &Path) -> anyhow::Result<File> {
    let file = File::open(folder)?;
    if file.file().try_lock().is_err() {
        progress::note("Waiting for another cargo xtask to finish its part");
        file.file().lock()?;
    }
    Ok(file)
}
