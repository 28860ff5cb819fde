//! What exists of a stack's volume, and the claim that follows.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{fixtures::resolved_from, stack::Stack};

const NFS: &str = "{database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}";
const CLASS: &str = "{database: {postgres: {storage: {storageClassName: fast}}}}";
const FIVE: &str = "{database: {postgres: {storage: {size: 5Gi}}}}";

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value).unwrap())
}

// A bound claim of 1Gi.
fn claim(class: &str, volume: &str) -> Arc<PersistentVolumeClaim> {
    let chosen = json!({"pv.kubernetes.io/bound-by-controller": "yes"});
    read(json!({
        "metadata": {"name": "shop-db", "uid": "c", "annotations": chosen},
        "spec": {"storageClassName": class, "volumeName": volume, "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    }))
}

fn export(path: &str, uid: Option<&str>) -> Arc<PersistentVolume> {
    read(json!({
        "metadata": {"name": crate::names::volume("shops", "shop")},
        "spec": {"nfs": {"server": "nas", "path": path}, "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": "shops", "name": "shop-db", "uid": uid}},
    }))
}

fn disk(policy: &str) -> Arc<PersistentVolume> {
    read(json!({
        "metadata": {"name": "pv"},
        "spec": {"storageClassName": "fast", "persistentVolumeReclaimPolicy": policy,
            "capacity": {"storage": "2Gi"}, "claimRef": {"namespace": "shops", "name": "shop-db", "uid": "old"}},
    }))
}

fn mismatches(stack: &Stack) -> Vec<String> {
    let those = stack.findings.iter().filter(|finding| finding.reason == Reason::VolumeMismatch);
    those.map(Finding::message).collect()
}

fn of_export(path: &str) -> Observed {
    let volume = export(path, Some("c"));
    let claim = claim("", volume.metadata.name.as_deref().unwrap());
    Observed {
        claim: Some(claim),
        volume: Some(volume.clone()),
        data_volume: Some(volume),
        ..Observed::default()
    }
}

fn of_class(class: &str, policy: &str) -> Observed {
    Observed { claim: Some(claim(class, "pv")), data_volume: Some(disk(policy)), ..Observed::default() }
}

#[rstest]
#[case::the_same_export(NFS, of_export("/e"), None)]
#[case::another_export(
    NFS,
    of_export("/f"),
    Some("which is NFS export nas:/f, and the spec names NFS export nas:/e")
)]
#[case::export_instead_of_a_class(
    CLASS,
    of_export("/e"),
    Some("which is NFS export nas:/e, and the spec names StorageClass fast")
)]
#[case::export_instead_of_the_default("{}", of_export("/e"), Some("and the spec names no NFS export"))]
#[case::the_same_class(CLASS, of_class("fast", "Retain"), None)]
#[case::any_class("{}", of_class("fast", "Retain"), None)]
#[case::another_class(
    "{database: {postgres: {storage: {storageClassName: slow}}}}",
    of_class("fast", "Retain"),
    Some("PersistentVolume pv, and the spec names StorageClass slow")
)]
#[case::class_instead_of_an_export(
    NFS,
    of_class("fast", "Retain"),
    Some("PersistentVolume pv, and the spec names NFS export nas:/e")
)]
#[case::nothing(NFS, Observed::default(), None)]
#[case::an_export_without_a_claim(NFS, Observed { volume: Some(export("/f", Some("old"))), ..Observed::default() }, Some("NFS export nas:/f"))]
#[case::an_export_that_a_claim_would_be_bound_to("{}", Observed { volume: Some(export("/e", None)), ..Observed::default() }, Some("NFS export nas:/e"))]
#[case::an_export_of_a_deleted_claim("{}", Observed { volume: Some(export("/e", Some("old"))), ..Observed::default() }, None)]
fn a_volume_that_the_spec_does_not_name_is_reported(
    #[case] spec: &str,
    #[case] observed: Observed,
    #[case] expected: Option<&str>,
) {
    let stack = resolved_from(spec, &observed);
    let messages = mismatches(&stack);
    match expected {
        None => assert_eq!(messages, Vec::<String>::new()),
        Some(text) => assert!(messages.len() == 1 && messages[0].contains(text), "{messages:?}"),
    }
    assert_eq!(stack.startable_postgres().is_none(), expected.is_some());
}

#[test]
fn the_remedy_keeps_the_data_of_the_earlier_volume() {
    let remedy = |observed: &Observed| mismatches(&resolved_from(NFS, observed)).remove(0);
    let disk = remedy(&of_class("fast", "Delete"));
    let (patch, delete) =
        (disk.find("kubectl patch persistentvolume pv ").unwrap(), disk.find("delete").unwrap());
    assert!(patch < delete, "{disk}");
    assert!(!remedy(&of_class("fast", "Retain")).contains("kubectl patch"));
    assert!(remedy(&of_export("/f")).contains(
        "kubectl -n shops delete persistentvolumeclaim shop-db && kubectl delete persistentvolume todostack-shops-shop-"
    ));
}

#[test]
fn a_sqlite_file_is_not_opened_on_another_class() {
    let mut observed = of_class("fast", "Retain");
    Arc::make_mut(observed.claim.as_mut().unwrap()).metadata.name = Some("shop-sqlite".into());
    let stack = resolved_from("{database: {sqlite: {storage: {storageClassName: slow}}}}", &observed);
    let applied = crate::build::build(&stack);
    let starts = applied.iter().any(|(resource, desired)| {
        let is_on_volume = matches!(
            resource,
            crate::managed::ManagedResource::ApiDeployment | crate::managed::ManagedResource::SqliteClaim
        );
        is_on_volume && *desired != crate::build::Desired::Keep
    });
    assert!(!starts && mismatches(&stack).len() == 1);
}

fn requested(spec: &str, observed: &Observed) -> ClaimSpec {
    resolved_from(spec, observed).volume().unwrap().requested.clone()
}

fn with_class(can_grow: bool) -> Observed {
    let class = json!({"metadata": {"name": "fast"}, "provisioner": "p", "allowVolumeExpansion": can_grow});
    Observed { storage_classes: vec![read(class)], ..of_class("fast", "Retain") }
}

#[rstest]
#[case::where_it_can_grow(FIVE, with_class(true), "5Gi")]
#[case::where_it_cannot(FIVE, with_class(false), "1Gi")]
#[case::without_its_class(FIVE, of_class("fast", "Retain"), "1Gi")]
#[case::in_another_spelling("{database: {postgres: {storage: {size: 1024Mi}}}}", with_class(false), "1024Mi")]
#[case::less_than_is_bound("{database: {postgres: {storage: {size: 512Mi}}}}", with_class(true), "1Gi")]
fn a_claim_asks_for_another_size_only_where_that_is_accepted(
    #[case] spec: &str,
    #[case] observed: Observed,
    #[case] size: &str,
) {
    assert_eq!(requested(spec, &observed).size, size);
}

#[test]
fn a_claim_that_is_not_bound_keeps_its_size() {
    let mut observed = with_class(true);
    Arc::make_mut(observed.claim.as_mut().unwrap()).status = None;
    assert_eq!(requested(FIVE, &observed).size, "1Gi");
}

#[rstest]
#[case::retained("Retain", "fast", Some("pv"), "2Gi")]
#[case::deleted_with_its_claim("Delete", "fast", None, "5Gi")]
#[case::of_another_class("Retain", "slow", None, "5Gi")]
fn a_new_claim_is_for_the_volume_of_the_deleted_one(
    #[case] policy: &str,
    #[case] class: &str,
    #[case] volume: Option<&str>,
    #[case] size: &str,
) {
    let observed = Observed { data_volume: Some(disk(policy)), ..Observed::default() };
    let spec = format!("{{database: {{postgres: {{storage: {{size: 5Gi, storageClassName: {class}}}}}}}}}");
    let requested = requested(&spec, &observed);
    assert_eq!((requested.volume.as_deref(), requested.size.as_str()), (volume, size));
}

#[test]
fn a_claim_that_was_created_for_its_volume_keeps_naming_it() {
    let mut observed = of_class("fast", "Retain");
    assert_eq!(requested("{}", &observed).volume, None);
    Arc::make_mut(observed.claim.as_mut().unwrap()).metadata.annotations = None;
    assert_eq!(requested("{}", &observed).volume.as_deref(), Some("pv"));
}
