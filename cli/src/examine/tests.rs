//! What reports contain: what was found here, what the operator reported where the user may not read, and
//! never a password.

use serde_json::json;
use todostack_stack::stack_ref::StackRef;

use todostack_stack::{managed, requirements::Requirements};

use super::*;
use crate::fixtures::{PASSWORD, well};

fn reasons(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.reason.as_str()).collect()
}

#[test]
fn a_stack_that_serves_is_ready() {
    let report = well().report();
    assert_eq!((report.health, reasons(&report)), (Health::Ready, vec![]));
    assert_eq!(report.notes, Vec::<String>::new());
    assert!(report.parts.iter().all(|part| part.condition.is_true()), "{:?}", report.parts);
}

#[test]
fn a_stack_whose_upgrade_waits_is_ready() {
    let message = "The upgrade of the operator waits";
    let scene = || well().with_earlier_api();
    assert_eq!(scene().report().health, Health::Starting);
    let report = scene().publishing(ConditionType::Reconciling, "True", "UpgradePending", message).report();
    assert_eq!((report.health, reasons(&report)), (Health::Ready, vec![]));
    assert_eq!(report.notes, [message]);
    assert!(report.parts.iter().all(|part| part.condition.is_true()), "{:?}", report.parts);
}

#[test]
fn a_missing_export_is_the_cause_and_what_waits_for_it_is_none() {
    let report = well().without_export().report();
    assert_eq!((report.health, reasons(&report)), (Health::Wrong, vec!["ExportNotFound"]));
    assert_eq!(report.ready.reason, "ExportNotFound");
    let waiting: Vec<_> =
        report.parts.iter().filter(|it| !it.condition.is_true()).map(|it| it.part).collect();
    assert_eq!(waiting, [Part::Storage, Part::Database, Part::Migrations, Part::Api]);
}

#[test]
fn a_stack_that_starts_is_not_wrong() {
    let report = well().without_export().without_events().report();
    assert_eq!((report.health, reasons(&report)), (Health::Starting, vec![]));
}

#[test]
fn a_warning_is_shown_by_its_condition_and_the_stack_is_ready() {
    let secret = json!({
        "data": {"username": "YXBwCg==", "password": "cGFzcw==", "host": "aA==", "dbname": "c2hvcA=="}, // "app\n"
    });
    let report = well()
        .with_spec(json!({"database": {"external": {"secret": {"name": "pg"}}}}))
        .with_external_secret(serde_json::from_value(secret).unwrap())
        .report();
    assert_eq!(reasons(&report), Vec::<&str>::new());
    let credentials = report.parts.first().unwrap();
    assert_eq!((credentials.mark, credentials.condition.reason.as_str()), (Mark::Good, "TrailingNewline"));
}

#[test]
fn a_problem_that_only_the_operator_knows_is_shown_as_reported() {
    let message = "TodoStack a/b uses the same NFS export.";
    let report = well()
        .publishing(ConditionType::StorageReady, "False", "VolumeShared", message)
        .publishing(ConditionType::Ready, "False", "VolumeShared", message)
        .report();
    assert_eq!(reasons(&report), ["VolumeShared"]);
    assert_eq!((report.health, report.ready.reason.as_str()), (Health::Wrong, "VolumeShared"));
    let finding = report.findings.first().unwrap();
    assert_eq!(
        (finding.part, finding.evidence.as_str()),
        (Part::Storage, "condition StorageReady of TodoStack shop")
    );
    let storage = report.parts.iter().find(|part| part.part == Part::Storage).unwrap();
    assert_eq!((storage.mark, storage.condition.reason.as_str()), (Mark::Bad, "VolumeShared"));
}

#[test]
fn a_reported_reason_that_this_version_does_not_know_is_a_problem() {
    let report = well().publishing(ConditionType::Exposed, "False", "FromTheFuture", "m").report();
    assert_eq!((report.health, reasons(&report)), (Health::Wrong, vec!["FromTheFuture"]));
}

#[test]
fn a_problem_that_was_found_is_not_shown_again_as_reported() {
    let report = well()
        .without_export()
        .publishing(ConditionType::StorageReady, "False", "ExportNotFound", "as published")
        .publishing(ConditionType::Ready, "False", "ExportNotFound", "as published")
        .report();
    assert_eq!(reasons(&report), ["ExportNotFound"]);
}

#[test]
fn without_permission_to_list_secrets_the_rest_is_checked() {
    let report = well().without_permission_to_list_secrets().report();
    assert_eq!((report.health, reasons(&report)), (Health::Ready, vec![]));
    assert_eq!(
        report.unchecked,
        ["not allowed to list Secrets: CredentialsValid is shown as the operator reported it"]
    );
    let credentials = report.parts.first().unwrap();
    assert_eq!(credentials.condition.message, "as the operator reported");
    assert!(credentials.objects.iter().all(|node| node.state == "not allowed to read it"), "{credentials:?}");
}

#[test]
fn a_referenced_secret_that_may_not_be_read_is_not_reported_as_missing() {
    let spec = json!({
        "database": {"external": {"secret": {"name": "pg"}}},
        "exposure": {"ingress": {"tls": {"secretName": "tls"}}},
    });
    let report = well().with_spec(spec).without_permission_to_list_secrets().report();
    assert_eq!(reasons(&report), Vec::<&str>::new());
}

#[test]
fn classes_that_may_not_be_listed_are_not_reported_as_missing() {
    let report = well()
        .with_spec(json!({"database": {"postgres": {}}, "exposure": {"ingress": {"className": "gold"}}}))
        .without_claim()
        .without_permission_to_list_classes()
        .report();
    assert_eq!(reasons(&report), Vec::<&str>::new(), "{:?}", report.findings);
}

#[test]
fn a_note_says_that_the_status_is_outdated() {
    let report = well().with_generation(2).report();
    assert_eq!(report.health, Health::Starting);
    assert!(
        report.notes.iter().any(|note| note.contains("has not reconciled this spec")),
        "{:?}",
        report.notes
    );

    let report = well().publishing(ConditionType::Ready, "False", "Progressing", "m").report();
    assert_eq!(report.health, Health::Starting);
    assert!(report.notes.iter().any(|note| note.contains("Ready=False")), "{:?}", report.notes);
}

#[test]
fn a_stack_without_desired_api_pods_is_scaled_to_zero_and_not_starting() {
    let report = well().with_spec(json!({"api": {"replicas": 0}})).report();
    assert_eq!(report.health, Health::ScaledToZero);
}

#[test]
fn a_foreign_object_is_found_by_its_name() {
    let report = well().with_foreign_service().report();
    assert_eq!(reasons(&report), ["NameConflict"]);
    let exposure = report.parts.last().unwrap();
    assert!(exposure.objects.iter().any(|node| node.state == "not managed by the operator"), "{exposure:?}");
}

#[test]
fn every_expected_object_is_shown_once() {
    let snapshot = well().snapshot();
    let id = StackRef::try_from(&snapshot.stack).unwrap();
    let mut expected = managed::expected(&id, &Requirements::from(&snapshot.stack.spec));
    expected.extend(snapshot.observed.inventory.of_kind(Kind::Job).cloned());
    let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    let report = examine(&snapshot, crate::fixtures::now()).unwrap();
    let objects = report.parts.iter().flat_map(|part| &part.objects);
    let mut shown: Vec<_> = objects.map(|node| node.object.clone()).collect();
    expected.sort();
    shown.sort();
    assert_eq!(shown, expected);
}

#[test]
fn no_report_contains_a_password() {
    for scene in [well(), well().without_export()] {
        let text = serde_json::to_string(&scene.report()).unwrap();
        assert!(text.contains("shop-db-app"), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
}
