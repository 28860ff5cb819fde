//! The script that checks the volume and the image, run as the server's user on temporary directories.

use std::{
    fs,
    io::Read as _,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::{Child, Command, Stdio},
};

use rstest::rstest;

use super::*;

mod contents;
mod images;

// Exit code and report of the script.
fn check(volume: &Path, options: &str) -> (i32, String) {
    let output =
        script(volume, options).output().expect("these tests run as root, since they act as uid 999");
    let report = fs::read_to_string(volume.with_file_name("report")).unwrap();
    (output.status.code().unwrap(), report)
}

// Exit code, name of the failed check, and what it found.
fn reported((code, report): &(i32, String)) -> (i32, String, String) {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let text = |key: &str| report[key].as_str().unwrap().to_owned();
    (*code, text("check"), text("found"))
}

// The script as the kubelet runs it. What stands for the pod's files is beside the volume.
#[expect(clippy::disallowed_methods, reason = "the script finds the shell's programs in PATH")]
fn script(volume: &Path, options: &str) -> Command {
    let file = |name: &str| volume.with_file_name(name);
    fs::write(file("mounts"), format!("server:/e {} nfs4 rw,{options} 0 0\n", volume.display())).unwrap();
    fs::write(file("report"), "").unwrap();
    fs::set_permissions(file("report"), fs::Permissions::from_mode(0o666)).unwrap();
    if !file("bin/postgres").exists() {
        program(volume, "postgres", "echo 'postgres (PostgreSQL) 18.1 (Debian 18.1-1.pgdg13+2)'");
    }
    let image = file("image");
    if !image.exists() {
        write_image(&image, "postgres:x:999:999:::", "docker-entrypoint.sh");
    }
    let folders = [image.join("bin"), file("bin")].map(|folder| folder.display().to_string());
    let path = format!("{}:{}", folders.join(":"), std::env::var("PATH").unwrap());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", PREFLIGHT_SCRIPT]).uid(999).gid(999).env("PATH", path);
    command
        .env("PREFLIGHT_IMAGE", image)
        .env("PREFLIGHT_VOLUME", volume)
        .env("PREFLIGHT_MOUNTS", file("mounts"));
    command.env("PREFLIGHT_MAJOR", "18").env("PREFLIGHT_SLOW_MS", "100000");
    command
        .env("PREFLIGHT_SECRET", file("secret"))
        .env("VOLUME_REPORT", file("report"))
        .env("VOLUME_WAITS", file("tmp/waits"));
    command.env("VOLUME_PATIENCE", "1").env("VOLUME_TRIES", "1");
    command
}

// A volume as `owner` with `mode`, in a folder that uid 999 can enter.
fn volume(owner: u32, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for (name, owner, mode) in [("volume", owner, mode), ("tmp", 999, 0o700), ("bin", 0, 0o755)] {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let volume = folder.path().join("volume");
    (folder, volume)
}

// A program that the script finds instead of the machine's.
fn program(volume: &Path, name: &str, text: &str) {
    let path = volume.with_file_name("bin").join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

// A file, which belongs to the server's user if it is on the volume.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    if let Some(volume) = path.ancestors().find(|it| it.ends_with("volume")) {
        Command::new("chown").args(["-R", "999:999"]).arg(volume).status().unwrap();
    }
}

// An image with these users and with a program of this name.
fn write_image(image: &Path, users: &str, program: &str) {
    write(&image.join("etc/passwd"), &format!("root:x:0:0:::\n{users}\n"));
    write(&image.join("bin").join(program), "");
    fs::set_permissions(image.join("bin").join(program), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_empty_volume_of_the_servers_user_passes_and_gets_nothing_but_the_lock() {
    let (_folder, volume) = volume(999, 0o700);
    assert_eq!(check(&volume, "hard,vers=4.1"), (0, String::new()));
    let names: Vec<_> = fs::read_dir(&volume).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [".todostack.lock"]);
}

// A process that has inherited the lock, as the backends of a server have.
struct OtherServer(Child);

impl OtherServer {
    fn start(volume: &Path) -> Self {
        let line = format!("{VOLUME_SCRIPT}\nvolume={}; lock; echo held; exec sleep 600", volume.display());
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &line]).uid(999).gid(999).stdout(Stdio::piped());
        command.env("VOLUME_REPORT", "/dev/null").env("VOLUME_WAITS", volume.with_file_name("tmp/other"));
        let mut child = command.spawn().unwrap();
        let mut said = [0; 5];
        child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"held\n");
        Self(child)
    }

    fn stop(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_volume_that_another_server_has_locked_fails_once_and_then_waits_until_it_is_free() {
    let (_folder, volume) = volume(999, 0o700);
    let other = OtherServer::start(&volume);
    assert_eq!(reported(&check(&volume, "hard")), (1, "inuse".into(), String::new()));
    // The third is of another pod, which has a temporary directory of its own.
    let waits = volume.with_file_name("tmp/third");
    fs::copy(volume.with_file_name("tmp/waits"), &waits).unwrap();
    let mut second = script(&volume, "hard").spawn().unwrap();
    let mut third = script(&volume, "hard").env("VOLUME_WAITS", waits).spawn().unwrap();
    assert!(second.try_wait().unwrap().is_none());
    other.stop();
    assert!(second.wait().unwrap().success());
    assert!(third.wait().unwrap().success());
    // The next time, it is reported soon again.
    let other = OtherServer::start(&volume);
    assert_eq!(reported(&check(&volume, "hard")).1, "inuse");
    other.stop();
}

#[rstest]
#[case::size("df")]
#[case::owner("stat")]
#[case::write("dd")]
#[case::lock("flock")]
fn a_volume_that_does_not_respond_is_reported(#[case] silent: &str) {
    let (_folder, volume) = volume(999, 0o700);
    program(&volume, silent, "exec sleep 600");
    assert_eq!(reported(&check(&volume, "hard")), (1, "stalled".into(), silent.into()));
}

#[rstest]
#[case::no_locks("echo 'flock: 9: No locks available' >&2; exit 71", "flock: 9: No locks available")]
#[case::quotes("printf '%s' 'a \"b\" \\c' >&2; exit 1", "a \"b\" \\c")]
fn a_volume_without_locks_fails_with_the_error(#[case] flock: &str, #[case] found: &str) {
    let (_folder, volume) = volume(999, 0o700);
    program(&volume, "flock", flock);
    assert_eq!(reported(&check(&volume, "hard")), (1, "unlockable".into(), found.into()));
}

#[test]
fn a_file_of_the_lock_that_belongs_to_another_user_is_named() {
    let (_folder, volume) = volume(999, 0o700);
    fs::write(volume.join(".todostack.lock"), "").unwrap();
    let (code, report) = check(&volume, "hard");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["check"], &report["path"]), (1, &"owner".into(), &"/.todostack.lock".into()));
}

#[test]
fn a_world_writable_volume_passes() {
    let (_folder, volume) = volume(0, 0o777);
    assert_eq!(check(&volume, "hard").0, 0);
}

#[rstest]
#[case::owner(0, 0o755, "hard", "owner", "0:0")]
#[case::mode(999, 0o500, "hard", "unwritable", "mode 500")]
#[case::soft(999, 0o700, "soft,timeo=600", "soft", "soft")]
#[case::softerr(999, 0o700, "softerr", "soft", "soft")]
#[case::nolock(999, 0o700, "nolock,vers=3", "unlockable", "it is mounted with nolock or local_lock")]
#[case::local_lock(999, 0o700, "local_lock=all", "unlockable", "it is mounted with nolock or local_lock")]
#[case::local_flock(999, 0o700, "local_lock=flock", "unlockable", "it is mounted with nolock or local_lock")]
fn a_volume_that_postgres_cannot_use_fails(
    #[case] owner: u32,
    #[case] mode: u32,
    #[case] options: &str,
    #[case] expected: &str,
    #[case] found: &str,
) {
    let (_folder, volume) = volume(owner, mode);
    assert_eq!(reported(&check(&volume, options)), (1, expected.into(), found.into()));
}

#[test]
fn a_read_only_mount_fails() {
    let (folder, volume) = volume(999, 0o700);
    let (code, report) = check(&volume, "hard,ro,");
    assert_eq!(code, 1);
    assert!(report.contains("readonly"), "{report}");
    drop(folder);
}
