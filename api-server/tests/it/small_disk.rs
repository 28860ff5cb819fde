//! A file system that is soon full.

use std::{fs::File, io::Write as _, path::Path, process::Command};

use tempfile::TempDir;

/// A tmpfs, and the file that takes its room.
pub struct SmallDisk {
    folder: TempDir,
    ballast: Option<File>,
}

impl SmallDisk {
    /// Takes root. A test that cannot have it must fail, for it would say nothing.
    pub fn mount(mebibytes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        let mount = mount.unwrap();
        let why = String::from_utf8_lossy(&mount.stderr);
        assert!(mount.status.success(), "run this test as root, which may mount a small disk: {why}");
        std::fs::create_dir(folder.path().join("data")).unwrap();
        Self { folder, ballast: None }
    }

    /// An empty folder on it.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Leaves room for just so many bytes.
    pub fn fill_but(&mut self, bytes: u64) {
        let mut ballast = File::create(self.folder.path().join("ballast")).unwrap();
        let mut written = 0;
        while ballast.write_all(&[0; 4_096]).is_ok() {
            written += 4_096;
        }
        ballast.set_len(written - bytes).unwrap();
        self.ballast = Some(ballast);
    }

    /// Gives the room back.
    pub fn make_room(&mut self) {
        self.ballast.take().expect("it was filled").set_len(0).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmount = |folder: &Path| Command::new("umount").arg("--lazy").arg(folder).status();
        // While a test panics, a second panic would hide the first.
        drop(unmount(self.folder.path()));
    }
}
