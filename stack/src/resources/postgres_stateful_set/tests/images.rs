//! The script that checks the volume, in images that do not work like the official one of the version.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
};

use rstest::rstest;

use super::{check, contents::database, program, reported, volume, write, write_image};

#[rstest]
#[case::release("17.6 (Debian 17.6-1.pgdg13+1)", "17")]
#[case::beta("19beta1", "19")]
#[case::development("19devel", "19")]
#[case::old("9.6.24", "9")]
fn an_image_of_another_version_fails_before_the_volume_is_touched(
    #[case] version: &str,
    #[case] major: &str,
) {
    let (_folder, volume) = volume(999, 0o700);
    program(&volume, "postgres", &format!("echo 'postgres (PostgreSQL) {version}'"));
    assert_eq!(reported(&check(&volume, "hard")), (1, "image".into(), major.into()));
    assert_eq!(fs::read_dir(&volume).unwrap().count(), 0);
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
    assert_eq!(reported(&check(&volume, "hard")), (1, expected.into(), found.into()));
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
#[case::readable_files_of_another_user(70, 0o755, Some("owner"))]
#[case::files_of_the_images_own_user(70, 0o700, Some("user"))]
fn existing_data_needs_no_entry_for_the_user_but_must_belong_to_it(
    #[case] owner: u32,
    #[case] mode: u32,
    #[case] expected: Option<&str>,
) {
    let (folder, volume) = volume(999, 0o755);
    write_image(&folder.path().join("image"), "postgres:x:70:70:::", "docker-entrypoint.sh");
    database(&volume, 7);
    chown(volume.join("18/docker"), Some(owner), Some(owner)).unwrap();
    fs::set_permissions(volume.join("18/docker"), fs::Permissions::from_mode(mode)).unwrap();
    let (_, report) = check(&volume, "hard");
    let report: Option<serde_json::Value> = serde_json::from_str(&report).ok();
    assert_eq!(report.as_ref().and_then(|report| report["check"].as_str()), expected);
}
