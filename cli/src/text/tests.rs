//! What people read, whole: a change of wording is seen in a snapshot.

use anstream::adapter::strip_str;
use jiff::SignedDuration;
use rstest::rstest;
use serde_json::json;

use super::{doctor::Stacks, *};
use crate::{
    cluster::{self, Cluster},
    fixtures::{PASSWORD, Scene, now, object, well, without_export},
    gaps::Gap,
};

fn plain(text: &str) -> String {
    assert!(!text.contains(PASSWORD), "{text}");
    strip_str(text).to_string()
}

fn starting() -> Scene {
    let mut scene = without_export();
    scene.events.clear();
    scene
}

/// A class that is not there, for a stack whose API crashes besides.
fn with_two_causes() -> Scene {
    let mut scene = well();
    scene.lists.ingress_classes.clear();
    for deployment in &mut scene.lists.deployments {
        let status =
            json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "unavailableReplicas": 2});
        std::sync::Arc::make_mut(deployment).status = Some(object(status));
    }
    let crashing = json!({
        "phase": "Running",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [{
            "name": "api", "image": "registry.example.com/api:1", "imageID": "", "ready": false, "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": "failed to bind 0.0.0.0:8080"}},
        }],
    });
    scene.lists.pods = vec![crate::fixtures::pod("shop-api-5d9c7b-4xkzq", "api", &crashing)];
    scene
}

fn secrets_unread() -> Scene {
    let mut scene = well();
    scene.lists.secrets.clear();
    scene.gaps.push(Gap::Secrets);
    scene
}

#[rstest]
#[case("well", well())]
#[case("without_export", without_export())]
#[case("starting", starting())]
#[case("with_two_causes", with_two_causes())]
#[case("secrets_unread", secrets_unread())]
fn status_and_explain_read_like_this(#[case] name: &str, #[case] scene: Scene) {
    let report = scene.report();
    insta::assert_snapshot!(format!("status_{name}"), plain(&status::text(&report, now(), false)));
    insta::assert_snapshot!(format!("explain_{name}"), plain(&explain::text(&report)));
}

#[test]
fn wide_status_adds_messages_nodes_and_images() {
    insta::assert_snapshot!(plain(&status::text(&well().report(), now(), true)));
}

#[test]
fn programs_read_the_same_as_json() {
    insta::assert_json_snapshot!(without_export().report());
}

#[test]
fn colour_marks_what_is_wrong() {
    let text = explain::text(&without_export().report());
    assert!(text.contains(&paint(BAD, "not ready")), "{text:?}");
}

#[test]
fn doctor_shows_the_cluster_and_every_stack() {
    let cluster = Cluster {
        definition: true,
        operators: Some(Vec::new()),
        storage_classes: Some(Vec::new()),
        ingress_classes: None,
        dns: Some(Vec::new()),
    };
    let stacks =
        Stacks::Examined(vec![well().report(), without_export().report(), secrets_unread().report()]);
    insta::assert_snapshot!(plain(&doctor::text(&cluster::checks(&cluster), &stacks, now())));
}

#[test]
fn doctor_without_the_definition_says_how_to_install_it() {
    let text = doctor::text(&cluster::checks(&Cluster::default()), &Stacks::Unserved, now());
    insta::assert_snapshot!(plain(&text));
}

#[rstest]
#[case(0, "0s")]
#[case(119, "119s")]
#[case(120, "2m")]
#[case(3_600, "1h0m")]
#[case(36_000, "10h")]
#[case(90_000, "1d")]
fn an_age_is_told_as_kubectl_does(#[case] seconds: i64, #[case] told: &str) {
    assert_eq!(age(SignedDuration::from_secs(seconds)), told);
}
