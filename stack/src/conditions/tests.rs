//! Conditions at the stages of a stack's life, and the invariant of merging.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{PersistentVolumeClaim, Secret},
    networking::v1::Ingress,
};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    finding::Severity,
    fixtures::{now, resolved, resolved_from},
    managed::Key,
};

fn object<K: serde::de::DeserializeOwned>(value: Value) -> Arc<K> {
    Arc::new(serde_json::from_value(value).unwrap())
}

const SPEC: &str = "{exposure: {host: shop.example.com}}";

fn well() -> (Stack, Observed) {
    let name = resolved(SPEC).migration.job;
    let mut observed = Observed {
        claim: Some(object::<PersistentVolumeClaim>(
            json!({"metadata": {}, "spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"}}),
        )),
        stateful_set: Some(object::<StatefulSet>(
            json!({"metadata": {}, "status": {"replicas": 1, "readyReplicas": 1}}),
        )),
        deployment: Some(object::<Deployment>(json!({
            "metadata": {"generation": 2},
            "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2},
        }))),
        ingress: Some(object::<Ingress>(
            json!({"metadata": {}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}),
        )),
        ..Observed::default()
    };
    observed.jobs = vec![object::<Job>(json!({
        "metadata": {"name": name}, "status": {"conditions": [{"type": "Complete", "status": "True"}]},
    }))];
    observed.inventory.insert(
        Key::new::<Secret>("shop-db-app".into()),
        k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta::default(),
    );
    (resolved_from(SPEC, &observed), observed)
}

fn verdict(stack: &Stack, observed: &Observed, findings: &[Finding], wanted: ConditionType) -> Verdict {
    let verdicts = evaluate(View { stack, observed, findings });
    verdicts.into_iter().find(|verdict| verdict.condition == wanted).unwrap()
}

fn finding(severity: Severity) -> Finding {
    Finding::new(Part::Database, Reason::CrashLoopBackOff, "Container postgres")
        .problem("is crash-looping: boom")
        .remedy("Read its log")
        .severity(severity)
}

#[test]
fn a_ready_stack_is_not_reconciling() {
    let (stack, observed) = well();
    let of = |wanted| verdict(&stack, &observed, &[], wanted).status;
    for part in evaluate(View { stack: &stack, observed: &observed, findings: &[] }).iter().take(7) {
        assert_eq!(part.status, Status::True, "{part:?}");
    }
    assert_eq!((of(ConditionType::Reconciling), of(ConditionType::Stalled)), (Status::False, Status::False));
}

#[test]
fn a_new_stack_is_reconciling_and_not_ready() {
    let stack = resolved("{}");
    let of = |wanted| verdict(&stack, &Observed::default(), &[], wanted).status;
    assert_eq!(of(ConditionType::Ready), Status::False);
    assert_eq!(of(ConditionType::Reconciling), Status::True);
    assert_eq!(of(ConditionType::Stalled), Status::False);
}

#[rstest]
#[case::storage(|o: &mut Observed| o.claim = None, ConditionType::StorageReady, Reason::VolumePending)]
#[case::database(|o: &mut Observed| o.stateful_set = None, ConditionType::DatabaseReady, Reason::Progressing)]
#[case::migration(|o: &mut Observed| o.jobs.clear(), ConditionType::MigrationsApplied, Reason::Progressing)]
#[case::api(|o: &mut Observed| o.deployment = None, ConditionType::ApiAvailable, Reason::Progressing)]
#[case::address(|o: &mut Observed| o.ingress = None, ConditionType::Exposed, Reason::AddressPending)]
fn a_missing_object_shows_in_its_condition_and_in_ready(
    #[case] take: fn(&mut Observed),
    #[case] condition: ConditionType,
    #[case] reason: Reason,
) {
    let (_, mut observed) = well();
    take(&mut observed);
    let stack = resolved_from(SPEC, &observed);
    let part = verdict(&stack, &observed, &[], condition);
    let ready = verdict(&stack, &observed, &[], ConditionType::Ready);
    assert_eq!((part.status, part.reason), (Status::False, reason));
    assert_eq!((ready.status, ready.reason, ready.message), (Status::False, reason, part.message));
}

#[test]
fn a_stack_that_is_scaled_to_zero_is_not_ready_and_not_reconciling() {
    let (_, mut observed) = well();
    let stack = resolved_from("{api: {replicas: 0}, exposure: {host: shop.example.com}}", &observed);
    observed.deployment = Some(object::<Deployment>(
        json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 2}}),
    ));
    let of = |wanted| verdict(&stack, &observed, &[], wanted);
    for wanted in [ConditionType::Ready, ConditionType::ApiAvailable] {
        assert_eq!((of(wanted).status, of(wanted).reason), (Status::False, Reason::ScaledToZero));
        assert!(of(wanted).message.contains("no API pod is desired"), "{}", of(wanted).message);
    }
    assert_eq!(of(ConditionType::Reconciling).status, Status::False);
    assert_eq!(of(ConditionType::Stalled).status, Status::False);
}

#[test]
fn an_ingress_without_an_address_is_a_note_on_a_ready_stack() {
    let (stack, mut observed) = well();
    observed.ingress = Some(object::<Ingress>(json!({"metadata": {}})));
    let note = Finding::new(Part::Exposure, Reason::NoIngressAddress, "Ingress shop")
        .problem("has no address")
        .severity(Severity::Warning);
    let of = |wanted| verdict(&stack, &observed, std::slice::from_ref(&note), wanted);
    let exposed = of(ConditionType::Exposed);
    assert_eq!((exposed.status, exposed.reason), (Status::True, Reason::NoIngressAddress));
    assert_eq!(of(ConditionType::Ready).status, Status::True);
}

#[test]
fn a_blocking_finding_stalls_the_stack() {
    let (stack, observed) = well();
    let findings = [finding(Severity::Blocking)];
    let of = |wanted| verdict(&stack, &observed, &findings, wanted);
    assert_eq!(of(ConditionType::Stalled).status, Status::True);
    assert_eq!(of(ConditionType::Reconciling).status, Status::False);
    assert_eq!(of(ConditionType::Ready).reason, Reason::CrashLoopBackOff);
    assert_eq!(of(ConditionType::Ready).message, "Container postgres is crash-looping: boom. Read its log");
}

#[test]
fn a_transient_finding_does_not_stall_the_stack() {
    let (stack, observed) = well();
    let findings = [finding(Severity::Transient)];
    let of = |wanted| verdict(&stack, &observed, &findings, wanted).status;
    assert_eq!((of(ConditionType::Stalled), of(ConditionType::Reconciling)), (Status::False, Status::True));
}

#[test]
fn a_rollout_is_reconciling_while_old_pods_keep_the_stack_ready() {
    let (stack, mut observed) = well();
    observed.deployment = Some(object::<Deployment>(json!({
        "metadata": {"generation": 3},
        "status": {"observedGeneration": 3, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2, "unavailableReplicas": 1},
    })));
    let of = |wanted| verdict(&stack, &observed, &[], wanted).status;
    assert_eq!((of(ConditionType::Ready), of(ConditionType::Reconciling)), (Status::True, Status::True));
}

#[test]
fn a_stack_with_an_external_database_needs_no_storage() {
    let stack = resolved_from("database: {external: {secret: {name: pg}}}", &Observed::default());
    let storage = verdict(&stack, &Observed::default(), &[], ConditionType::StorageReady);
    assert_eq!((storage.status, storage.reason), (Status::True, Reason::NotNeeded));
}

fn statuses() -> impl Strategy<Value = Vec<bool>> {
    proptest::collection::vec(any::<bool>(), 3)
}

fn verdicts(good: &[bool]) -> Vec<Verdict> {
    let types = [ConditionType::Ready, ConditionType::StorageReady, ConditionType::Exposed];
    let verdict = |(condition, good): (ConditionType, &bool)| {
        let status = if *good { Status::True } else { Status::False };
        Verdict::new(condition, status, Reason::AsExpected, "as it is")
    };
    types.into_iter().zip(good).map(verdict).collect()
}

proptest! {
    #[test]
    fn a_transition_time_changes_exactly_when_its_status_does(before in statuses(), after in statuses()) {
        let later = now() + jiff::SignedDuration::from_secs(60);
        let old = merge(&[], &verdicts(&before), 1, now());
        let new = merge(&old, &verdicts(&after), 1, later);
        let changes = before.iter().zip(&after).map(|(before, after)| before != after);
        for ((old, new), changed) in old.iter().zip(&new).zip(changes) {
            prop_assert_eq!(new.last_transition_time.0 == later, changed);
            prop_assert!(changed || old == new);
        }
    }
}
