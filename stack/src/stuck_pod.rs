//! The pod of the database that the StatefulSet controller does not replace: the controller waits for a pod
//! to become ready before it rolls out a corrected template (kubernetes issue 67250). Deleting is the
//! operator's.

use std::sync::Arc;

use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use kube::ResourceExt as _;

use crate::observed::{Observed, subjects::is_ready};

/// Label that the StatefulSet controller sets: the revision of the template that the pod was made from.
const REVISION: &str = "controller-revision-hash";

/// The pod of the database that is not ready and has an earlier template than the StatefulSet.
pub fn find(observed: &Observed) -> Option<&Arc<Pod>> {
    let set = observed.stateful_set.as_deref()?;
    let revision = current_revision(set)?;
    observed.pods.iter().find(|pod| {
        let mut owners = pod.owner_references().iter().map(|owner| &owner.uid);
        owners.any(|uid| Some(uid) == set.metadata.uid.as_ref())
            && pod.labels().get(REVISION).is_some_and(|own| own != revision)
            && pod.metadata.deletion_timestamp.is_none()
            && !is_ready(pod)
    })
}

/// The revision of the template, once the controller has read it.
fn current_revision(stateful_set: &StatefulSet) -> Option<&str> {
    let status = stateful_set.status.as_ref()?;
    let is_current = status.observed_generation == stateful_set.metadata.generation;
    status.update_revision.as_deref().filter(|_| is_current)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn observed(generation: i64, revision: &str, ready: &str, owner: &str) -> Observed {
        let stateful_set = json!({"metadata": {"name": "shop-db", "uid": "set", "generation": 2},
            "status": {"replicas": 1, "observedGeneration": generation, "updateRevision": "new"}});
        let owners =
            json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "shop-db", "uid": owner}]);
        let labels = json!({REVISION: revision, "app.kubernetes.io/component": "database"});
        let pod = json!({"metadata": {"name": "shop-db-0", "labels": labels, "ownerReferences": owners},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}});
        Observed {
            stateful_set: Some(Arc::new(serde_json::from_value(stateful_set).unwrap())),
            pods: vec![Arc::new(serde_json::from_value(pod).unwrap())],
            ..Observed::default()
        }
    }

    #[rstest]
    #[case::stuck(2, "old", "False", "set", true)]
    #[case::of_the_current_template(2, "new", "False", "set", false)]
    #[case::ready_and_replaced_by_the_controller(2, "old", "True", "set", false)]
    #[case::before_the_controller_has_read_the_template(1, "old", "False", "set", false)]
    #[case::with_the_labels_of_another_pod(2, "old", "False", "other", false)]
    fn a_pod_is_stuck_if_it_is_not_ready_and_has_an_earlier_template(
        #[case] generation: i64,
        #[case] revision: &str,
        #[case] ready: &str,
        #[case] owner: &str,
        #[case] is_stuck: bool,
    ) {
        assert_eq!(find(&observed(generation, revision, ready, owner)).is_some(), is_stuck);
    }

    #[test]
    fn a_pod_that_terminates_is_not_deleted_again() {
        let mut observed = observed(2, "old", "False", "set");
        let pod = Arc::make_mut(&mut observed.pods[0]);
        pod.metadata.deletion_timestamp = crate::fixtures::todostack("{}").metadata.creation_timestamp;
        assert!(find(&observed).is_none());
    }
}
