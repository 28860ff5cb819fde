//! The script that checks the volume, on volumes that hold something: data of this and other versions,
//! layouts and databases.

use std::{fs, os::unix::fs::chown, path::Path};

use rstest::rstest;

use super::{check, volume, write};

#[test]
fn an_initialized_volume_passes() {
    let (_folder, volume) = volume(999, 0o755);
    database(&volume, 7);
    assert_eq!(check(&volume, "hard"), (0, String::new()));
}

// A data directory whose database has this system identifier.
pub(super) fn database(volume: &Path, identifier: u64) {
    let data = volume.join("18/docker");
    write(&data.join("PG_VERSION"), "18\n");
    fs::create_dir_all(data.join("global")).unwrap();
    fs::write(data.join("global/pg_control"), [identifier.to_ne_bytes(), [1; 8]].concat()).unwrap();
    chown(&data, Some(999), Some(999)).unwrap();
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
    assert_eq!(report["path"], "/18/docker");
}

// The start script begins again, unless the identity says that a server has served the directory.
#[rstest]
#[case::nothing_known(None, 0)]
#[case::of_a_database(Some("7"), 1)]
fn an_initialization_that_did_not_end_passes(#[case] recorded: Option<&str>, #[case] expected: i32) {
    let (_folder, volume) = volume(999, 0o755);
    write(&volume.join("18/.todostack-unfinished"), "");
    write(&volume.join("18/docker/PG_VERSION"), "18\n");
    chown(volume.join("18/docker"), Some(999), Some(999)).unwrap();
    if let Some(identifier) = recorded {
        write(&volume.with_file_name("secret").join("system-identifier"), identifier);
    }
    assert_eq!(check(&volume, "hard").0, expected);
}

#[rstest]
#[case::other_major("17/docker", "17")]
#[case::overwritten("18/docker", "17")]
#[case::official("data", "16")]
#[case::official_at_the_root("", "15")]
#[case::official_pgdata("pgdata", "15")]
#[case::below_data("data/pgdata", "14")]
#[case::sub_path("postgres", "17")]
#[case::debian("17/main", "17")]
#[case::bitnami("data", "16")]
#[case::zalando("pgroot/data", "15")]
#[case::crunchy("pg17", "17")]
#[case::cloudnative_pg("pgdata", "17")]
#[case::old("main", "9.6")]
fn data_of_another_version_is_never_ignored(
    #[case] directory: &str,
    #[case] version: &str,
    #[values(true, false)] has_databases: bool,
) {
    let (_folder, volume) = volume(999, 0o755);
    let data = volume.join(directory);
    write(&data.join("PG_VERSION"), &format!("{version}\n"));
    if has_databases {
        write(&data.join("base/1/PG_VERSION"), &format!("{version}\n"));
    }
    let (code, report) = check(&volume, "hard");
    let path = if directory.is_empty() { String::new() } else { format!("/{directory}") };
    assert_eq!(report, format!(r#"{{"check":"version","path":"{path}","found":"{version}","wanted":"18"}}"#));
    assert_eq!(code, 1);
    assert!(!has_databases || data.join("base/1/PG_VERSION").exists());
}

#[rstest]
#[case::sub_path("postgres")]
#[case::debian("18/main")]
#[case::one_above("18")]
#[case::one_below("18/docker/data")]
#[case::at_the_root("")]
fn data_of_this_version_in_another_layout_is_never_ignored(
    #[case] directory: &str,
    #[values((true, "layout"), (false, "configless"))] expected: (bool, &str),
) {
    let (_folder, volume) = volume(999, 0o755);
    let (has_configuration, check_name) = expected;
    write(&volume.join(directory).join("PG_VERSION"), "18\n");
    if has_configuration {
        write(&volume.join(directory).join("postgresql.conf"), "");
    }
    let path = if directory.is_empty() { String::new() } else { format!("/{directory}") };
    let report = format!(r#"{{"check":"{check_name}","path":"{path}","found":"18","wanted":"/18/docker"}}"#);
    assert_eq!(check(&volume, "hard"), (1, report));
}

#[rstest]
#[case::snapshots_of_the_server(".snapshot/hourly.0/PG_VERSION")]
#[case::too_deep_for_a_layout("a/b/c/d/PG_VERSION")]
fn what_is_no_data_directory_does_not_prevent_the_start(#[case] file: &str) {
    let (_folder, volume) = volume(999, 0o755);
    write(&volume.join(file), "17\n");
    assert_eq!(check(&volume, "hard"), (0, String::new()));
}

#[rstest]
#[case::the_same(Some(7), Some("7"), None)]
#[case::unknown(Some(7), None, None)]
#[case::replaced(Some(u64::MAX), Some("7"), Some("replaced"))]
#[case::lost(None, Some("7"), Some("lost"))]
#[case::new(None, None, None)]
fn the_database_of_the_stack_is_recognized(
    #[case] on_volume: Option<u64>,
    #[case] recorded: Option<&str>,
    #[case] expected: Option<&str>,
) {
    let (_folder, volume) = volume(999, 0o755);
    if let Some(identifier) = on_volume {
        database(&volume, identifier);
    }
    if let Some(identifier) = recorded {
        write(&volume.with_file_name("secret").join("system-identifier"), identifier);
    }
    let (code, report) = check(&volume, "hard");
    let failed = report.split('"').nth(3);
    assert_eq!((code, failed), (i32::from(expected.is_some()), expected));
}

#[test]
fn a_data_directory_of_another_user_is_named() {
    let (_folder, volume) = volume(999, 0o755);
    database(&volume, 7);
    chown(volume.join("18/docker"), Some(1001), Some(0)).unwrap();
    let report = r#"{"check":"owner","path":"/18/docker","found":"1001:0","wanted":"999:999"}"#;
    assert_eq!(check(&volume, "hard"), (1, report.to_owned()));
}
