//! A small file system that can be filled. What is stored on it is not here.

use std::{fs::File, io::Write as _, path::Path, process::Command};

use tempfile::TempDir;

/// A tmpfs, and a file that fills it.
pub struct SmallDisk {
    folder: TempDir,
    ballast: Option<File>,
}

impl SmallDisk {
    /// Needs root, without which the test fails.
    pub fn mount(mebibytes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        let mount = mount.unwrap();
        let why = String::from_utf8_lossy(&mount.stderr);
        assert!(mount.status.success(), "run this test as root, which can mount a tmpfs: {why}");
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Self { folder, ballast: None }
    }

    /// A folder on it, empty at first.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Fills it except for this number of bytes.
    pub fn fill_except(&mut self, bytes: u64) {
        let mut ballast = File::create(self.folder.path().join("ballast")).unwrap();
        let mut written = 0;
        while ballast.write_all(&[0; 4_096]).is_ok() {
            written += 4_096;
        }
        ballast.set_len(written - bytes).unwrap();
        self.ballast = Some(ballast);
    }

    /// Frees what was filled.
    pub fn free(&mut self) {
        self.ballast.take().expect("the disk was filled").set_len(0).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmount = |folder: &Path| Command::new("umount").arg("--lazy").arg(folder).status();
        // While a test panics, a second panic would hide the first.
        drop(unmount(self.folder.path()));
    }
}
