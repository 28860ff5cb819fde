//! Who keeps an export or a host, in tables of stacks and volumes.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::fixtures;

fn stack(name: &str, spec: &Value, second: i64) -> TodoStack {
    let mut stack = TodoStack::new(name, serde_json::from_value(spec.clone()).unwrap());
    stack.metadata.namespace = Some("shops".into());
    stack.metadata.uid = Some(name.into());
    stack.metadata.creation_timestamp = Some(created(second));
    stack
}

fn created(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

fn on_nfs(name: &str, path: &str, second: i64) -> TodoStack {
    stack(
        name,
        &json!({"database": {"postgres": {"storage": {"nfs": {"server": "nfs", "path": path}}}}}),
        second,
    )
}

fn exposed(name: &str, exposure: &Value, second: i64) -> TodoStack {
    stack(name, &json!({"exposure": exposure}), second)
}

fn volume(stack: &str, path: &str, second: i64) -> Arc<PersistentVolume> {
    let labels = json!({"todostack.dev/stack": stack, "todostack.dev/namespace": "shops"});
    let claim = json!({"namespace": "shops", "name": format!("{stack}-db")});
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": format!("pv-{stack}"), "labels": labels, "creationTimestamp": created(second)},
            "spec": {"nfs": {"server": "nfs", "path": path}, "claimRef": claim},
        }))
        .unwrap(),
    )
}

fn export_holder(
    stacks: &[&TodoStack],
    volumes: &[Arc<PersistentVolume>],
    stack: &TodoStack,
) -> Option<ExportHolder> {
    export(Neighbors { stacks, volumes, config: &fixtures::config() }, stack)
}

fn host_holder(stacks: &[&TodoStack], stack: &TodoStack) -> Option<String> {
    host(Neighbors { stacks, volumes: &[], config: &fixtures::config() }, stack, Some("nginx"))
}

#[expect(clippy::unnecessary_wraps, reason = "what it is compared with is optional")]
fn held_by(name: &str) -> Option<ExportHolder> {
    Some(ExportHolder::Stack(format!("shops/{name}")))
}

#[rstest]
#[case::older("z-old", 1, "a-young", 2)]
#[case::same_second_and_first_by_name("one", 1, "two", 1)]
fn the_older_stack_keeps_the_export(
    #[case] old: &str,
    #[case] old_second: i64,
    #[case] young: &str,
    #[case] young_second: i64,
) {
    let (old, young) = (on_nfs(old, "/e", old_second), on_nfs(young, "//e", young_second));
    let all = [&old, &young];
    assert_eq!(export_holder(&all, &[], &young), held_by(&old.name_any()));
    assert_eq!(export_holder(&all, &[], &old), None);
}

#[test]
fn stacks_on_other_directories_do_not_meet() {
    let (one, two) = (on_nfs("one", "/e/1", 1), on_nfs("two", "/e/2", 2));
    assert_eq!(export_holder(&[&one, &two], &[volume("one", "/e/1", 1)], &two), None);
}

#[test]
fn a_claim_that_outlived_its_stack_keeps_the_export_until_it_is_deleted() {
    let shop = on_nfs("shop", "/e", 2);
    let mut left = volume("gone", "/e/", 1);
    let claim = ExportHolder::Claim { namespace: "shops".into(), name: "gone-db".into() };
    assert_eq!(export_holder(&[&shop], &[left.clone()], &shop), Some(claim));
    let released = serde_json::from_value(json!({"phase": "Released"})).unwrap();
    Arc::make_mut(&mut left).status = Some(released);
    assert_eq!(export_holder(&[&shop], &[left], &shop), None);
}

#[test]
fn the_own_volume_that_was_retained_is_no_conflict() {
    let shop = on_nfs("shop", "/e", 2);
    assert_eq!(export_holder(&[&shop], &[volume("shop", "/e", 1)], &shop), None);
}

// As when the younger one started while the export was not allowed to the older one.
#[test]
fn a_stack_whose_server_may_run_keeps_the_export_from_an_older_one() {
    let (old, young) = (on_nfs("old", "/e", 1), on_nfs("young", "/e", 2));
    let (all, volumes) = ([&old, &young], [volume("young", "/e", 3)]);
    assert_eq!(export_holder(&all, &volumes, &old), held_by("young"));
    assert_eq!(export_holder(&all, &volumes, &young), None);
}

#[test]
fn of_two_volumes_the_older_one_keeps_the_export() {
    let (one, two) = (on_nfs("one", "/e", 1), on_nfs("two", "/e", 2));
    let (all, volumes) = ([&one, &two], [volume("one", "/e", 4), volume("two", "/e", 3)]);
    assert_eq!(export_holder(&all, &volumes, &one), held_by("two"));
    assert_eq!(export_holder(&all, &volumes, &two), None);
}

#[rstest]
#[case::same_host(json!({"host": "a"}), json!({"host": "a"}), true)]
#[case::same_host_on_another_class(json!({"host": "a"}), json!({"host": "a", "ingress": {"className": "x"}}), true)]
#[case::other_host(json!({"host": "a"}), json!({"host": "b"}), false)]
#[case::every_host(json!({"ingress": {}}), json!({"ingress": {}}), true)]
#[case::every_host_of_the_default_class(json!({"ingress": {}}), json!({"ingress": {"className": "nginx"}}), true)]
#[case::every_host_of_another_class(json!({"ingress": {}}), json!({"ingress": {"className": "x"}}), false)]
#[case::every_host_and_one(json!({"ingress": {}}), json!({"host": "a"}), false)]
#[case::no_ingress(json!({}), json!({}), false)]
fn the_older_stack_keeps_the_host(#[case] old: Value, #[case] young: Value, #[case] conflict: bool) {
    let (old, young) = (exposed("old", &old, 1), exposed("young", &young, 2));
    let all = [&old, &young];
    assert_eq!(host_holder(&all, &young), conflict.then(|| "shops/old".to_owned()));
    assert_eq!(host_holder(&all, &old), None);
    let shared = contended(&old).any(|it| contended(&young).any(|other| other == it));
    assert!(!conflict || shared);
}

#[test]
fn a_stack_keeps_nothing_from_others_that_it_may_not_have() {
    let mut old = exposed("old", &json!({"host": "a.shops"}), 1);
    old.metadata.namespace = Some("other".into());
    let young = exposed("young", &json!({"host": "a.shops"}), 2);
    let config = Config { allowed_hosts: "*.{namespace}".parse().unwrap(), ..fixtures::config() };
    let neighbors = Neighbors { stacks: &[&old, &young], volumes: &[], config: &config };
    assert_eq!(host(neighbors, &young, None), None);
    assert_eq!(host(neighbors, &old, None).as_deref(), Some("shops/young"));

    let (mut old, young) = (on_nfs("old", "/shops", 1), on_nfs("young", "/shops", 2));
    old.metadata.namespace = Some("other".into());
    let config = Config { allowed_exports: "nfs:/{namespace}".parse().unwrap(), ..fixtures::config() };
    let neighbors = Neighbors { stacks: &[&old, &young], volumes: &[], config: &config };
    assert_eq!(export(neighbors, &young), None);
    assert_eq!(export(neighbors, &old), held_by("young"));
}
