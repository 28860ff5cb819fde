//! What is said of stacks: by the operator's rules, by its word where the user may not look, and never with a password.

use serde_json::json;

use super::*;
use crate::fixtures::{PASSWORD, object, well, without_export};

fn reasons(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|found| found.reason.as_str()).collect()
}

#[test]
fn a_stack_that_serves_is_ready() {
    let report = well().report();
    assert_eq!((report.health, reasons(&report)), (Health::Ready, vec![]));
    assert_eq!(report.notes, Vec::<String>::new());
    assert!(report.parts.iter().all(|part| part.condition.is_true()), "{:?}", report.parts);
}

#[test]
fn a_missing_export_is_the_cause_and_what_waits_for_it_is_none() {
    let report = without_export().report();
    assert_eq!((report.health, reasons(&report)), (Health::Wrong, vec!["ExportNotFound"]));
    assert_eq!(report.ready.reason, "ExportNotFound");
    let waiting: Vec<_> =
        report.parts.iter().filter(|it| !it.condition.is_true()).map(|it| it.part).collect();
    assert_eq!(waiting, ["Storage", "Database", "Migrations", "API"]);
}

#[test]
fn a_stack_that_comes_up_is_not_wrong() {
    let mut scene = without_export();
    scene.events.clear();
    let report = scene.report();
    assert_eq!((report.health, reasons(&report)), (Health::Starting, vec![]));
}

#[test]
fn what_only_the_operator_knows_is_told_as_its_word() {
    let mut scene = well();
    let shared = ("VolumeShared", "TodoStack a/b uses the same NFS export.");
    scene.publish("StorageReady", "False", shared);
    scene.publish("Ready", "False", shared);
    let report = scene.report();
    assert_eq!(reasons(&report), ["VolumeShared"]);
    assert_eq!((report.health, report.ready.reason.as_str()), (Health::Wrong, "VolumeShared"));
    let found = report.findings.first().unwrap();
    assert_eq!(
        (found.part, found.evidence.as_str()),
        ("Storage", "condition StorageReady of TodoStack shop")
    );
    let storage = report.parts.iter().find(|part| part.part == "Storage").unwrap();
    assert_eq!((storage.mark, storage.condition.reason.as_str()), (Mark::Bad, "VolumeShared"));
}

#[test]
fn a_cause_that_was_found_is_not_told_again_as_the_operators_word() {
    let mut scene = without_export();
    scene.publish("StorageReady", "False", ("ExportNotFound", "as published"));
    scene.publish("Ready", "False", ("ExportNotFound", "as published"));
    assert_eq!(reasons(&scene.report()), ["ExportNotFound"]);
}

#[test]
fn without_a_right_to_secrets_the_rest_is_checked_and_it_is_said() {
    let mut scene = well();
    scene.lists.secrets.clear();
    scene.gaps.push(Gap::Secrets);
    let report = scene.report();
    assert_eq!((report.health, reasons(&report)), (Health::Ready, vec![]));
    assert_eq!(report.unchecked, ["not allowed to read Secrets: logins are not checked"]);
    let credentials = report.parts.first().unwrap();
    assert_eq!(credentials.condition.message, "so the operator says");
    assert!(credentials.objects.iter().all(|node| node.state == "not allowed to read it"), "{credentials:?}");
}

#[test]
fn a_named_secret_that_may_not_be_read_is_not_called_missing() {
    let mut scene = well();
    let spec = json!({"database": {"external": {"secret": {"name": "pg"}}}, "exposure": {"ingress": {"tls": {"secretName": "tls"}}}});
    scene.stack.spec = object(spec);
    scene.lists.secrets.clear();
    scene.gaps.push(Gap::Secrets);
    assert_eq!(reasons(&scene.report()), Vec::<&str>::new());
}

#[test]
fn classes_that_may_not_be_read_are_not_called_missing() {
    let mut scene = well();
    scene.stack.spec = object(json!({"exposure": {"ingress": {"className": "gold"}}}));
    scene.lists.ingress_classes.clear();
    scene.lists.claims.clear();
    scene.gaps.extend([Gap::IngressClasses, Gap::StorageClasses]);
    let report = scene.report();
    assert_eq!(reasons(&report), Vec::<&str>::new(), "{:?}", report.findings);
}

#[test]
fn an_operator_that_is_behind_is_told() {
    let mut scene = well();
    scene.stack.metadata.generation = Some(2);
    let report = scene.report();
    assert_eq!(report.health, Health::Starting);
    assert!(
        report.notes.iter().any(|note| note.contains("has not looked at this spec")),
        "{:?}",
        report.notes
    );

    let mut scene = well();
    scene.publish("Ready", "False", ("Progressing", "m"));
    let report = scene.report();
    assert_eq!(report.health, Health::Starting);
    assert!(report.notes.iter().any(|note| note.contains("Ready=False")), "{:?}", report.notes);
}

#[test]
fn an_object_of_somebody_else_is_found_by_its_name() {
    let mut scene = well();
    let key = todostack_operator::children::Key::of::<k8s_openapi::api::core::v1::Service>("shop-api".into());
    scene.lists.services.retain(|service| service.name_any() != "shop-api");
    scene.named.unlabelled.push((key, kube::api::ObjectMeta::default()));
    let report = scene.report();
    assert_eq!(reasons(&report), ["NameConflict"]);
    let exposure = report.parts.last().unwrap();
    assert!(exposure.objects.iter().any(|node| node.state == "belongs to someone else"), "{exposure:?}");
}

#[test]
fn no_report_has_a_password() {
    for scene in [well(), without_export()] {
        let text = serde_json::to_string(&scene.report()).unwrap();
        assert!(text.contains("shop-db-app"), "{text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
}
