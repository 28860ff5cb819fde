//! The script that checks the volume and the image, run as the server's user on temporary directories.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use rstest::rstest;

use super::*;

// Exit code and report of the script.
fn check(volume: &Path, options: &str) -> (i32, String) {
    let scratch = volume.parent().unwrap();
    let (mounts, report) = (scratch.join("mounts"), scratch.join("report"));
    fs::write(&mounts, format!("server:/e {} nfs4 rw,{options} 0 0\n", volume.display())).unwrap();
    fs::write(&report, "").unwrap();
    fs::set_permissions(&report, fs::Permissions::from_mode(0o666)).unwrap();
    let image = scratch.join("image");
    if !image.exists() {
        write_image(&image, "postgres:x:999:999:::", "docker-entrypoint.sh");
    }
    let path = format!("{}:{}", image.join("bin").display(), std::env::var("PATH").unwrap());
    let status = Command::new("/bin/sh")
        .args(["-c", PREFLIGHT_SCRIPT])
        .env("PATH", path)
        .env("PREFLIGHT_IMAGE", &image)
        .env("PREFLIGHT_VOLUME", volume)
        .env("PREFLIGHT_MOUNTS", &mounts)
        .env("PREFLIGHT_REPORT", &report)
        .env("PREFLIGHT_MAJOR", "18")
        .env("PREFLIGHT_SLOW_MS", "100000")
        .uid(999)
        .gid(999)
        .output()
        .expect("these tests run as root, since they act as uid 999");
    (status.status.code().unwrap(), fs::read_to_string(report).unwrap())
}

// A volume as `owner` with `mode`, in a folder that uid 999 can enter.
fn volume(owner: u32, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let volume = folder.path().join("volume");
    fs::create_dir(&volume).unwrap();
    std::os::unix::fs::chown(&volume, Some(owner), Some(owner)).unwrap();
    fs::set_permissions(&volume, fs::Permissions::from_mode(mode)).unwrap();
    (folder, volume)
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
fn an_empty_volume_of_the_servers_user_passes_and_stays_empty() {
    let (_folder, volume) = volume(999, 0o700);
    assert_eq!(check(&volume, "hard,vers=4.1"), (0, String::new()));
    assert_eq!(fs::read_dir(&volume).unwrap().count(), 0);
}

#[test]
fn a_world_writable_volume_passes() {
    let (_folder, volume) = volume(0, 0o777);
    assert_eq!(check(&volume, "hard").0, 0);
}

#[test]
fn an_initialized_volume_passes() {
    let (_folder, volume) = volume(999, 0o755);
    write(&volume.join("18/docker/PG_VERSION"), "18\n");
    write(&volume.join("18/docker/global/pg_control"), "x");
    assert_eq!(check(&volume, "hard"), (0, String::new()));
}

#[rstest]
#[case::owner(0, 0o755, "hard", "owner", "0:0")]
#[case::mode(999, 0o500, "hard", "unwritable", "mode 500")]
#[case::soft(999, 0o700, "soft,timeo=600", "soft", "soft")]
#[case::softerr(999, 0o700, "softerr", "soft", "soft")]
fn a_volume_that_postgres_cannot_use_fails(
    #[case] owner: u32,
    #[case] mode: u32,
    #[case] options: &str,
    #[case] expected: &str,
    #[case] found: &str,
) {
    let (_folder, volume) = volume(owner, mode);
    let (code, report) = check(&volume, options);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["check"], &report["found"]), (1, &expected.into(), &found.into()));
}

#[test]
fn a_read_only_mount_fails() {
    let (folder, volume) = volume(999, 0o700);
    let (code, report) = check(&volume, "hard,ro,");
    assert_eq!(code, 1);
    assert!(report.contains("readonly"), "{report}");
    drop(folder);
}

#[rstest]
#[case::files_without_a_version(&[("18/docker/base/1", "x")])]
#[case::version_without_control(&[("18/docker/PG_VERSION", "18\n")])]
fn an_incomplete_data_directory_fails(#[case] files: &[(&str, &str)]) {
    let (_folder, volume) = volume(999, 0o755);
    for (path, text) in files {
        write(&volume.join(path), text);
    }
    let (code, report) = check(&volume, "hard");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["check"]), (1, &"half".into()));
    assert_eq!(report["path"], format!("{}/18/docker", volume.display()));
}

#[rstest]
#[case::other_major("17/docker/PG_VERSION", "17")]
#[case::classic_layout("data/PG_VERSION", "16")]
#[case::at_the_root("PG_VERSION", "15")]
#[case::with_pgdata("data/pgdata/PG_VERSION", "14")]
#[case::overwritten("18/docker/PG_VERSION", "17")]
fn data_of_another_version_is_never_ignored(#[case] path: &str, #[case] version: &str) {
    let (_folder, volume) = volume(999, 0o755);
    write(&volume.join(path), &format!("{version}\n"));
    let (code, report) = check(&volume, "hard");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["check"], &report["found"]), (1, &"version".into(), &version.into()));
}

#[rstest]
#[case::alpine("postgres:x:70:70:::", "docker-entrypoint.sh", "user", "70")]
#[case::without_a_user_of_that_name("pg:x:26:26:::", "docker-entrypoint.sh", "user", "")]
#[case::without_the_entrypoint("postgres:x:999:999:::", "other.sh", "entrypoint", "")]
fn an_image_that_cannot_initialize_as_this_user_fails_before_the_volume_is_checked(
    #[case] users: &str,
    #[case] program: &str,
    #[case] expected: &str,
    #[case] found: &str,
) {
    let (folder, volume) = volume(0, 0o755);
    write_image(&folder.path().join("image"), users, program);
    let (code, report) = check(&volume, "hard");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["check"], &report["found"]), (1, &expected.into(), &found.into()));
}

#[rstest]
#[case::debian("usr/lib/x86_64-linux-gnu/libnss_wrapper.so")]
#[case::alpine("usr/lib/libnss_wrapper.so")]
fn an_image_whose_entrypoint_can_name_any_user_passes(#[case] library: &str) {
    let (folder, volume) = volume(999, 0o700);
    let image = folder.path().join("image");
    write_image(&image, "postgres:x:70:70:::", "docker-entrypoint.sh");
    write(&image.join(library), "ELF");
    assert_eq!(check(&volume, "hard"), (0, String::new()));
}

#[rstest]
#[case::own_files(999, 0o700, None)]
#[case::readable_files_of_another_user(70, 0o755, Some("files"))]
#[case::files_of_the_images_own_user(70, 0o700, Some("user"))]
fn existing_data_needs_no_entry_for_the_user_but_must_belong_to_it(
    #[case] owner: u32,
    #[case] mode: u32,
    #[case] expected: Option<&str>,
) {
    let (folder, volume) = volume(999, 0o755);
    write_image(&folder.path().join("image"), "postgres:x:70:70:::", "docker-entrypoint.sh");
    let data = volume.join("18/docker");
    write(&data.join("PG_VERSION"), "18\n");
    write(&data.join("global/pg_control"), "x");
    std::os::unix::fs::chown(&data, Some(owner), Some(owner)).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
    let (_, report) = check(&volume, "hard");
    let report: Option<serde_json::Value> = serde_json::from_str(&report).ok();
    assert_eq!(report.as_ref().and_then(|report| report["check"].as_str()), expected);
}
