//! What the StorageClasses of the cluster say: which is the default, and whether one can grow volumes.

use std::{cmp::Reverse, sync::Arc};

use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::ResourceExt as _;

use crate::observed::claim;

/// The annotation of a default class.
pub const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

pub(crate) fn is_default(class: &StorageClass) -> bool {
    class.annotations().get(DEFAULT).is_some_and(|value| value == "true")
}

/// The class that the API server sets in a claim that names none: of several defaults the newest, then the
/// first by name.
pub(crate) fn default_class(classes: &[Arc<StorageClass>]) -> Option<&str> {
    let newest = classes.iter().filter(|class| is_default(class)).min_by_key(|class| {
        let created = class.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (Reverse(created), class.name_any())
    });
    newest?.metadata.name.as_deref()
}

/// The class of a claim, if it lets volumes grow.
pub(crate) fn growing_class<'a>(
    classes: &'a [Arc<StorageClass>],
    claim: &PersistentVolumeClaim,
) -> Option<&'a StorageClass> {
    let name = claim::class(claim)?;
    let class = classes.iter().find(|class| class.metadata.name.as_deref() == Some(name))?;
    class.allow_volume_expansion.unwrap_or_default().then_some(class.as_ref())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn class(name: &str, is_default: bool, created: &str) -> Arc<StorageClass> {
        let metadata = json!({"name": name, "creationTimestamp": created,
            "annotations": {DEFAULT: is_default.to_string()}});
        Arc::new(serde_json::from_value(json!({"metadata": metadata, "provisioner": "x"})).unwrap())
    }

    const OLD: &str = "2026-01-01T00:00:00Z";
    const NEW: &str = "2026-02-01T00:00:00Z";

    #[rstest]
    #[case::none(&[("a", false, OLD)], None)]
    #[case::one(&[("a", false, NEW), ("b", true, OLD)], Some("b"))]
    #[case::newest(&[("a", true, OLD), ("b", true, NEW)], Some("b"))]
    #[case::by_name(&[("b", true, OLD), ("a", true, OLD)], Some("a"))]
    fn the_default_class_is_that_of_the_api_server(
        #[case] classes: &[(&str, bool, &str)],
        #[case] expected: Option<&str>,
    ) {
        let classes: Vec<_> = classes.iter().map(|(name, is, created)| class(name, *is, created)).collect();
        assert_eq!(default_class(&classes), expected);
    }
}
