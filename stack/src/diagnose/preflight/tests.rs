//! The reason of each failed check, and remedies that hold paths.

use rstest::rstest;

use super::*;
use crate::fixtures::resolved;

const NFS: &str = "{database: {postgres: {storage: {nfs: {server: nas, path: /exports/shop}}}}}";

fn described(spec: &str, report: &serde_json::Value) -> Finding {
    let report: Report = serde_json::from_value(report.clone()).unwrap();
    describe(&report, &resolved(spec)).unwrap()
}

#[rstest]
#[case::owner("owner", Reason::VolumeOwnerMismatch)]
#[case::squash("squash", Reason::VolumeOwnerMismatch)]
#[case::readonly("readonly", Reason::VolumeNotWritable)]
#[case::unwritable("unwritable", Reason::VolumeNotWritable)]
#[case::soft("soft", Reason::VolumeMountedSoft)]
#[case::unlockable("unlockable", Reason::VolumeNotLockable)]
#[case::inuse("inuse", Reason::VolumeInUse)]
#[case::full("full", Reason::DiskFull)]
#[case::half("half", Reason::VolumeHalfInitialized)]
#[case::version("version", Reason::VersionMismatch)]
#[case::layout("layout", Reason::VersionMismatch)]
#[case::configless("configless", Reason::VersionMismatch)]
#[case::image("image", Reason::VersionMismatch)]
#[case::lost("lost", Reason::VolumeLost)]
#[case::replaced("replaced", Reason::VolumeReplaced)]
#[case::script("script", Reason::InitScriptFailed)]
fn each_check_has_its_reason(#[case] check: &str, #[case] expected: Reason) {
    assert_eq!(described("{}", &serde_json::json!({"check": check})).reason, expected);
}

#[rstest]
#[case::nfs(NFS, "On the NFS server, run: rm -rf /exports/shop/18/docker")]
#[case::class("{}", "In a pod that mounts PersistentVolumeClaim shop-db at /mnt, run: rm -rf /mnt/18/docker")]
fn a_remedy_has_the_path_where_it_is_run(#[case] spec: &str, #[case] expected: &str) {
    let remedy = described(spec, &serde_json::json!({"check": "half", "path": "/18/docker"})).remedy;
    assert!(remedy.ends_with(expected), "{remedy}");
}

#[rstest]
#[case::soft("soft")]
#[case::unlockable("unlockable")]
fn wrong_options_of_a_class_are_corrected_on_the_volume(#[case] check: &str) {
    let report = serde_json::json!({"check": check});
    let class = described("{}", &report).remedy;
    assert!(class.contains("kubectl patch persistentvolume $(kubectl -n shops get "), "{class}");
    assert!(class.contains("kubectl -n shops delete pod --selector "), "{class}");
    let nfs = described(NFS, &report).remedy;
    assert!(nfs.ends_with(": set spec.database.postgres.storage.nfs.mountOptions"), "{nfs}");
}
