//! What a cluster may lack, and the result of the check.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::object;

fn classes<K: serde::de::DeserializeOwned>(kind: &str, defaults: &[bool]) -> Vec<Arc<K>> {
    let annotation = format!("{kind}.kubernetes.io/is-default-class");
    let class = |(number, default): (usize, &bool)| {
        let annotations = json!({&annotation: default.to_string()});
        let mut value = json!({"metadata": {"name": format!("c{number}"), "annotations": annotations}});
        if kind == "storageclass"
            && let Value::Object(fields) = &mut value
        {
            fields.insert("provisioner".to_owned(), json!("example.com/disk"));
        }
        Arc::new(object(value))
    };
    defaults.iter().enumerate().map(class).collect()
}

#[rstest]
#[case::no_storage(storage(&[]), Mark::Waiting, "the cluster has no default")]
#[case::one_storage(storage(&[false, true]), Mark::Good, "c1 is the default")]
#[case::several_storages(storage(&[true, true]), Mark::Waiting, "c0, c1 are all the default")]
#[case::no_ingress(ingress(&[]), Mark::Waiting, "the cluster has no IngressClass")]
#[case::no_default_ingress(ingress(&[false]), Mark::Waiting, "the cluster has no default")]
#[case::one_ingress(ingress(&[true]), Mark::Good, "c0 is the default")]
#[case::several_ingresses(ingress(&[true, true]), Mark::Waiting, "c0, c1 are all the default")]
fn the_cluster_should_have_one_default_class(#[case] check: Check, #[case] mark: Mark, #[case] state: &str) {
    assert_eq!(check.mark, mark);
    assert!(check.state.starts_with(state), "{}", check.state);
}

fn storage(defaults: &[bool]) -> Check {
    storage_class("StorageClass", &classes("storageclass", defaults))
}

fn ingress(defaults: &[bool]) -> Check {
    ingress_class("IngressClass", &classes("ingressclass", defaults))
}

#[rstest]
#[case::no_pod(json!({}), Mark::Bad)]
#[case::ready(json!({"readyReplicas": 1}), Mark::Good)]
fn the_operator_needs_a_ready_pod(#[case] status: Value, #[case] mark: Mark) {
    let deployment = json!({"metadata": {"name": "todostack-operator", "namespace": "todostack-system"}, "status": status});
    assert_eq!(operator("Operator", &[Arc::new(object(deployment))]).mark, mark);
    assert_eq!(operator("Operator", &[]).mark, Mark::Bad);
}

#[rstest]
#[case::all(&["True", "True"], Mark::Good)]
#[case::one(&["False", "True"], Mark::Good)]
#[case::none(&["False", "False"], Mark::Bad)]
#[case::unknown(&[], Mark::Unknown)]
fn dns_needs_one_ready_pod(#[case] ready: &[&str], #[case] mark: Mark) {
    let pod = |ready: &&str| {
        let conditions =
            json!([{"type": "Ready", "status": ready}, {"type": "PodScheduled", "status": "True"}]);
        let status = json!({"phase": "Running", "conditions": conditions});
        Arc::new(object(json!({"metadata": {"name": "coredns"}, "status": status})))
    };
    let pods: Vec<_> = ready.iter().map(pod).collect();
    assert_eq!(dns("DNS", &pods).mark, mark);
}

#[test]
fn what_may_not_be_listed_is_shown_and_is_no_failure() {
    let checks = checks(&Cluster { crd: true, ..Cluster::default() });
    let marks: Vec<_> = checks.iter().map(|check| check.mark).collect();
    assert_eq!(marks, [Mark::Good, Mark::Unknown, Mark::Unknown, Mark::Unknown, Mark::Unknown]);
}
