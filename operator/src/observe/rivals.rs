//! Older stacks that have what only one can have: an NFS export (two servers on one directory destroy it, since
//! `postmaster.pid` guards one host alone), or a host name.

use std::{cmp::Ordering, sync::Arc};

use kube::ResourceExt as _;
use todostack_crds::{TodoStack, storage::NfsExport};

use crate::watch::Guarded;

/// The stack with the better right to the export of `stack`, as `namespace/name`: the older one, by name at a tie.
pub(super) fn rival(stacks: &[Arc<Guarded>], stack: &TodoStack) -> Option<String> {
    let ours = export(stack)?;
    senior(stacks, stack, |other| export(other).is_some_and(|theirs| same(theirs, ours)))
}

/// The stack with the better right to the host name of `stack`.
pub(super) fn host(stacks: &[Arc<Guarded>], stack: &TodoStack) -> Option<String> {
    let of = |stack: &TodoStack| stack.spec.exposure.as_ref()?.host.clone();
    let ours = of(stack)?;
    senior(stacks, stack, |other| of(other).as_ref() == Some(&ours))
}

fn senior(
    stacks: &[Arc<Guarded>],
    stack: &TodoStack,
    wants_it_too: impl Fn(&TodoStack) -> bool,
) -> Option<String> {
    stacks
        .iter()
        .filter_map(|other| other.0.as_ref().ok())
        .filter(|other| other.metadata.uid != stack.metadata.uid)
        .filter(|other| wants_it_too(other))
        .filter(|other| seniority(other, stack) == Ordering::Less)
        .min_by(|one, two| seniority(one, two))
        .map(|other| format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any()))
}

fn export(stack: &TodoStack) -> Option<&NfsExport> {
    stack.spec.database.as_ref()?.postgres.as_ref()?.storage.as_ref()?.nfs.as_ref()
}

fn same(one: &NfsExport, two: &NfsExport) -> bool {
    one.server.eq_ignore_ascii_case(&two.server) && one.path == two.path
}

fn seniority(one: &TodoStack, two: &TodoStack) -> Ordering {
    let key = |stack: &TodoStack| {
        let created = stack.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (created, stack.namespace(), stack.name_any())
    };
    key(one).cmp(&key(two))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

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

    fn among(stacks: &[&TodoStack]) -> Vec<Arc<Guarded>> {
        stacks.iter().map(|stack| Arc::new(kube::core::DeserializeGuard(Ok((*stack).clone())))).collect()
    }

    #[test]
    fn the_older_stack_keeps_the_export() {
        let (old, young) = (stack("z-old", "/e", 1), stack("a-young", "/e", 2));
        let all = among(&[&old, &young]);
        assert_eq!(rival(&all, &young).as_deref(), Some("shops/z-old"));
        assert_eq!(rival(&all, &old), None);
    }

    #[test]
    fn stacks_on_other_directories_do_not_meet() {
        let (one, two) = (stack("one", "/e/1", 1), stack("two", "/e/2", 2));
        assert_eq!(rival(&among(&[&one, &two]), &two), None);
    }

    #[test]
    fn of_two_of_the_same_second_the_first_by_name_keeps_it() {
        let (one, two) = (stack("one", "/e", 1), stack("two", "/e", 1));
        let all = among(&[&one, &two]);
        assert_eq!((rival(&all, &one), rival(&all, &two)), (None, Some("shops/one".into())));
    }
}
