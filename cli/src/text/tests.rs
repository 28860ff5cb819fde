//! Snapshots of whole texts.

use anstream::adapter::strip_str;
use jiff::SignedDuration;
use rstest::rstest;
use todostack_stack::{fixtures, managed, requirements::Requirements, stack_ref::StackRef};

use super::*;
use crate::{
    cluster::{self, Cluster},
    fixtures::{PASSWORD, Scene, now, well},
};

fn plain(text: &str) -> String {
    assert!(!text.contains(PASSWORD), "{text}");
    strip_str(text).to_string()
}

#[rstest]
#[case("ready", well())]
#[case("without_export", well().without_export())]
#[case("starting", well().without_export().without_events())]
#[case("scaled_to_zero", well().with_spec(serde_json::json!({"api": {"replicas": 0}})))]
#[case("with_two_causes", well().with_crash_looping_api().without_ingress_classes())]
#[case("secrets_unread", well().without_permission_to_list_secrets())]
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
fn json_output_has_the_same_content() {
    insta::assert_json_snapshot!(well().without_export().report());
}

#[test]
fn problems_are_colored() {
    let text = explain::text(&well().without_export().report());
    assert!(text.contains(&paint(BAD, "is not ready")), "{text:?}");
}

#[test]
fn doctor_shows_the_cluster_and_every_stack() {
    let cluster = Cluster {
        crd: true,
        operators: Some(Vec::new()),
        storage_classes: Some(Vec::new()),
        ingress_classes: None,
        dns: Some(Vec::new()),
    };
    let reports = [
        well().report(),
        well().without_export().report(),
        well().without_permission_to_list_secrets().report(),
    ];
    insta::assert_snapshot!(plain(&doctor::text(&cluster::checks(&cluster), Some(&reports), now())));
}

#[test]
fn release_lists_what_is_kept_and_how_to_go_on() {
    let stack = fixtures::todostack("{database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}");
    let id = StackRef::try_from(&stack).unwrap();
    let kept = managed::data(&id, &Requirements::from(&stack.spec));
    for (name, kept) in [("with_data", kept.as_slice()), ("without_data", &[])] {
        insta::assert_snapshot!(format!("release_{name}"), plain(&release::text(&id, kept, false)));
    }
    let released = plain(&release::text(&id, &kept, true));
    assert!(released.starts_with("shops/shop is released") && !released.contains("--yes"), "{released}");
}

#[test]
fn doctor_without_the_crd_says_how_to_install_it() {
    let text = doctor::text(&cluster::checks(&Cluster::default()), None, now());
    insta::assert_snapshot!(plain(&text));
}

#[rstest]
#[case(0, "0s")]
#[case(119, "119s")]
#[case(120, "2m")]
#[case(3_600, "1h0m")]
#[case(36_000, "10h")]
#[case(90_000, "1d")]
fn an_age_is_printed_as_kubectl_does(#[case] seconds: i64, #[case] printed: &str) {
    assert_eq!(age(SignedDuration::from_secs(seconds)), printed);
}
