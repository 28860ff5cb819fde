//! Diagnosis of any pods in any order does not panic and has the same findings.

use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

use super::{API, DATABASE, bound, container, found, terminated, unschedulable, waits};
use crate::observed::Observed;

// Pods in every state that has a cause, and in some that have none.
fn some_pod() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(json!({})),
        Just(container(&json!({"running": {}}), &json!({}), 0)),
        Just(container(&json!({"running": {}}), &terminated("Error", "boom"), 3)),
        Just(container(&json!({}), &json!({}), 0)),
        Just(waits("ImagePullBackOff", "not found")),
        Just(waits("CreateContainerConfigError", "secret \"pg\" not found")),
        Just(waits("CrashLoopBackOff", "")),
        Just(unschedulable(60, "0/1 nodes are available: 1 Insufficient cpu.")),
    ]
}

fn some_pods() -> impl Strategy<Value = Vec<(bool, serde_json::Value)>> {
    proptest::collection::vec((any::<bool>(), some_pod()), 0..6)
}

fn observed(pods: &[(bool, serde_json::Value)]) -> Observed {
    let pod = |(database, status): &(bool, serde_json::Value)| {
        let component = if *database { DATABASE } else { API };
        let labels = json!({"app.kubernetes.io/component": component});
        Arc::new(
            serde_json::from_value(json!({"metadata": {"name": "p", "labels": labels}, "status": status}))
                .unwrap(),
        )
    };
    Observed { pods: pods.iter().map(pod).collect(), ..bound() }
}

proptest! {
    #[test]
    fn findings_do_not_depend_on_the_order_of_pods(pods in some_pods()) {
        let mut reversed = pods.clone();
        reversed.reverse();
        let messages = |pods: &[_]| {
            found("{}", &observed(pods)).iter().map(|finding| (finding.part, finding.message())).collect::<Vec<_>>()
        };
        prop_assert_eq!(messages(&pods), messages(&reversed));
    }

    #[test]
    fn no_missing_object_makes_diagnosis_panic(pods in some_pods(), claim in any::<bool>()) {
        let mut observed = observed(&pods);
        if claim {
            observed.claim = None;
        }
        for spec in ["{}", "database: {sqlite: {}}", "database: {external: {secret: {name: pg}}}", "{exposure: {host: h}}"] {
            let findings = found(spec, &observed);
            prop_assert!(findings.is_sorted_by_key(|finding| finding.part));
        }
    }
}
