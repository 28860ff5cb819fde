//! Claims at each stage of their growth.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    applied::Applied,
    conditions::{self, Status, View},
    diagnose::diagnose,
    fixtures::{now, resolved_from},
};
use todostack_crds::ConditionType;

const FIVE: &str = "{database: {postgres: {storage: {size: 5Gi}}}}";
const ONE: &str = "{database: {postgres: {storage: {size: 1Gi}}}}";

// A claim of 1Gi, applied that many seconds ago.
fn observed(can_grow: bool, status: &Value, seconds: i64) -> Observed {
    let applied = now() - SignedDuration::from_secs(seconds);
    let mut whole = json!({"phase": "Bound", "capacity": {"storage": "1Gi"}});
    whole.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    let claim = json!({
        "metadata": {"name": "shop-db", "uid": "c", "managedFields": [
            {"manager": "todostack-operator", "operation": "Apply", "time": applied},
        ]},
        "spec": {"storageClassName": "standard", "volumeName": "pv", "resources": {"requests": {"storage": "5Gi"}}},
        "status": whole,
    });
    let class = json!({
        "metadata": {"name": "standard", "annotations": {crate::storage_class::DEFAULT: "true"}},
        "provisioner": "example.com/disks", "allowVolumeExpansion": can_grow,
    });
    Observed {
        claim: Some(Arc::new(serde_json::from_value(claim).unwrap())),
        storage_classes: vec![Arc::new(serde_json::from_value(class).unwrap())],
        ..Observed::default()
    }
}

fn condition(type_: &str) -> Value {
    json!({"conditions": [{"type": type_, "status": "True", "message": "no space in pool 7."}]})
}

// Reason and message of StorageReady, which is true.
fn storage_ready(spec: &str, observed: &Observed) -> (Reason, String) {
    let stack = resolved_from(spec, observed);
    let applied = Applied::default();
    let findings = diagnose(Evidence { stack: &stack, observed, applied: &applied, now: now() });
    let verdicts = conditions::evaluate(View { stack: &stack, observed, findings: &findings });
    let storage = verdicts.into_iter().find(|it| it.condition == ConditionType::StorageReady).unwrap();
    assert_eq!(storage.status, Status::True, "{storage:?}");
    (storage.reason, storage.message)
}

#[rstest]
#[case::asked_for(json!({}), 0, Reason::Progressing, "grows from 1Gi to 5Gi: its provisioner resizes it")]
#[case::resizing(condition("Resizing"), 600, Reason::Progressing, "its provisioner resizes it")]
#[case::on_the_node(condition("FileSystemResizePending"), 600, Reason::Progressing, "grow the file system")]
#[case::error(
    condition("ControllerResizeError"),
    0,
    Reason::ResizeFailed,
    "to 5Gi: no space in pool 7. Set "
)]
#[case::node_error(condition("NodeResizeError"), 0, Reason::ResizeFailed, "no space in pool 7")]
#[case::infeasible(
    json!({"allocatedResourceStatuses": {"storage": "ControllerResizeInfeasible"}}),
    0,
    Reason::ResizeFailed,
    "ControllerResizeInfeasible"
)]
#[case::in_progress(
    json!({"allocatedResourceStatuses": {"storage": "ControllerResizeInProgress"}}),
    600,
    Reason::Progressing,
    "its provisioner resizes it"
)]
#[case::silent(json!({}), 60, Reason::ResizeFailed, "example.com/disks does not resize volumes")]
fn a_volume_that_grows_shows_its_stage(
    #[case] status: Value,
    #[case] seconds: i64,
    #[case] expected: Reason,
    #[case] text: &str,
) {
    let (reason, message) = storage_ready(FIVE, &observed(true, &status, seconds));
    assert_eq!(reason, expected, "{message}");
    assert!(message.contains(text), "{message}");
}

#[test]
fn a_volume_that_cannot_grow_keeps_its_claim_and_names_the_way_back() {
    let observed = observed(false, &json!({}), 600);
    let (reason, message) = storage_ready(FIVE, &observed);
    assert_eq!(reason, Reason::VolumeCannotGrow);
    assert!(message.contains("StorageClass standard does not have allowVolumeExpansion"), "{message}");
    assert!(message.contains("Set spec.database.postgres.storage.size: 1Gi, or "), "{message}");
}

#[rstest]
#[case::after_a_failed_growth(true)]
#[case::where_it_cannot_grow(false)]
fn a_spec_that_went_back_is_as_expected(#[case] can_grow: bool) {
    let observed = observed(can_grow, &condition("ControllerResizeError"), 600);
    assert_eq!(storage_ready(ONE, &observed).0, Reason::AsExpected);
}
