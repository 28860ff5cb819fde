//! Older stacks that have what only one stack can have: an NFS export (two servers on one directory destroy
//! the data, since `postmaster.pid` protects against a second server on the same host only), or a host name.

use std::cmp::Ordering;

use kube::ResourceExt as _;
use todostack_crds::{TodoStack, storage::NfsExport};

use crate::requirements::Requirements;

/// The older stack that uses the export of `stack`, as `namespace/name`. Of two of the same age, the first by
/// name.
pub fn export<'a>(stacks: impl Iterator<Item = &'a TodoStack>, stack: &TodoStack) -> Option<String> {
    let ours = Requirements::from(&stack.spec).export()?;
    let shares = |other: &TodoStack| {
        Requirements::from(&other.spec).export().is_some_and(|theirs| is_same_export(theirs, ours))
    };
    oldest(stacks.filter(|other| shares(other)), stack)
}

/// The older stack that has the host name of `stack`.
pub fn host<'a>(stacks: impl Iterator<Item = &'a TodoStack>, stack: &TodoStack) -> Option<String> {
    let ours = Requirements::from(&stack.spec).host?;
    oldest(stacks.filter(|other| Requirements::from(&other.spec).host == Some(ours)), stack)
}

/// The oldest of those that are older than `stack`.
fn oldest<'a>(stacks: impl Iterator<Item = &'a TodoStack>, stack: &TodoStack) -> Option<String> {
    stacks
        .filter(|other| other.metadata.uid != stack.metadata.uid)
        .filter(|other| compare_age(other, stack) == Ordering::Less)
        .min_by(|one, two| compare_age(one, two))
        .map(|other| format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any()))
}

fn is_same_export(one: &NfsExport, two: &NfsExport) -> bool {
    normalized(one) == normalized(two)
}

/// Server and directories of an export, equal for all spellings of the same directory. A directory below
/// another is another export.
fn normalized(export: &NfsExport) -> (String, Vec<&str>) {
    let mut directories = Vec::new();
    for directory in export.path.split('/') {
        match directory {
            "" | "." => {}
            ".." => drop(directories.pop()),
            directory => directories.push(directory),
        }
    }
    (export.server.trim_end_matches('.').to_ascii_lowercase(), directories)
}

fn compare_age(one: &TodoStack, two: &TodoStack) -> Ordering {
    let key = |stack: &TodoStack| {
        let created = stack.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (created, stack.namespace(), stack.name_any())
    };
    key(one).cmp(&key(two))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use rstest::rstest;

    use super::*;

    fn stack(name: &str, path: &str, second: i64) -> TodoStack {
        let spec = serde_json::json!({"database": {"postgres": {"storage": {"nfs": {"server": "nfs", "path": path}}}}});
        let mut stack = TodoStack::new(name, serde_json::from_value(spec).unwrap());
        stack.metadata.namespace = Some("shops".into());
        stack.metadata.uid = Some(name.into());
        stack.metadata.creation_timestamp =
            Some(Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap()));
        stack
    }

    #[test]
    fn the_older_stack_keeps_the_export() {
        let (old, young) = (stack("z-old", "/e", 1), stack("a-young", "/e", 2));
        let all = [&old, &young];
        assert_eq!(export(all.into_iter(), &young).as_deref(), Some("shops/z-old"));
        assert_eq!(export(all.into_iter(), &old), None);
    }

    #[rstest]
    #[case::double_slash("//e/x", "nfs")]
    #[case::dot("/e/./x", "nfs")]
    #[case::parent("/e/y/../x", "nfs")]
    #[case::trailing_slash("/e/x/", "nfs")]
    #[case::case_of_the_server("/e/x", "NFS")]
    #[case::trailing_dot("/e/x", "nfs.")]
    fn every_spelling_of_an_export_is_the_same_export(#[case] path: &str, #[case] server: &str) {
        let export = |server: &str, path: &str| -> NfsExport {
            serde_json::from_value(serde_json::json!({"server": server, "path": path})).unwrap()
        };
        assert!(is_same_export(&export(server, path), &export("nfs", "/e/x")));
        assert!(!is_same_export(&export(server, path), &export("nfs", "/e")));
    }

    #[test]
    fn stacks_on_other_directories_do_not_meet() {
        let (one, two) = (stack("one", "/e/1", 1), stack("two", "/e/2", 2));
        assert_eq!(export([&one, &two].into_iter(), &two), None);
    }

    #[test]
    fn of_two_of_the_same_second_the_first_by_name_keeps_it() {
        let (one, two) = (stack("one", "/e", 1), stack("two", "/e", 1));
        let all = [&one, &two];
        let rivals = (export(all.into_iter(), &one), export(all.into_iter(), &two));
        assert_eq!(rivals, (None, Some("shops/one".into())));
    }
}
