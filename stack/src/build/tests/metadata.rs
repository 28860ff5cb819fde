//! What must hold for the metadata of every object of every stack: labels, annotations, owners, selectors.

use serde_json::Value;

use super::{applied, every_stack, objects, pod_templates};

#[test]
fn every_object_has_the_labels_that_watches_select_by() {
    for object in every_stack().iter().flat_map(objects) {
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], "todostack-operator", "{object}");
        assert_eq!(labels["todostack.dev/stack"], "shop", "{object}");
        assert_eq!(labels["todostack.dev/namespace"], "shops", "{object}");
    }
}

// Labels and annotations by which Argo CD, Flux, Helm, kapp, Fleet and `kubectl apply --prune` recognize what
// is theirs: what is theirs and not in Git, they delete.
const TAKEN_BY: [&str; 9] = [
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
    "meta.helm.sh/release-name",
    "kapp.k14s.io/app",
    "objectset.rio.cattle.io/id",
    "applyset.kubernetes.io/part-of",
];

#[test]
fn no_object_without_an_owner_has_a_mark_by_which_a_gitops_tool_deletes_it() {
    for object in every_stack().iter().flat_map(objects) {
        let metadata = &object["metadata"];
        if metadata["ownerReferences"].is_array() {
            continue;
        }
        for mark in TAKEN_BY {
            let is_marked = ["labels", "annotations"].iter().any(|field| metadata[field].get(mark).is_some());
            assert!(!is_marked, "{mark}: {object}");
        }
        let annotations = &metadata["annotations"];
        let sync = annotations["argocd.argoproj.io/sync-options"].as_str().unwrap();
        assert!(sync.contains("Prune=false") && sync.contains("Delete=false"), "{object}");
        assert_eq!(annotations["helm.sh/resource-policy"], "keep", "{object}");
    }
}

#[test]
fn every_object_has_the_component_of_the_table() {
    for (resource, object) in every_stack().iter().flat_map(applied) {
        let component = object.metadata().labels.as_ref().unwrap().get("app.kubernetes.io/component");
        assert_eq!(component.map(String::as_str), Some(resource.component().as_str()), "{resource:?}");
    }
}

#[test]
fn data_and_credentials_have_no_owner_under_any_policy() {
    for object in every_stack().iter().flat_map(objects) {
        let is_data = ["PersistentVolume", "PersistentVolumeClaim", "Secret"]
            .contains(&object["kind"].as_str().unwrap());
        let is_owned = object["metadata"]["ownerReferences"].is_array();
        assert_eq!(is_owned, !is_data, "{} {}", object["kind"], object["metadata"]["name"]);
        // OpenShift's OwnerReferencesPermissionEnforcement would require `update` on todostacks/finalizers.
        assert!(object.pointer("/metadata/ownerReferences/0/blockOwnerDeletion").is_none_or(Value::is_null));
    }
}

#[test]
fn every_selector_selects_its_own_pods() {
    for object in every_stack().iter().flat_map(objects) {
        let (Some(selector), Some(template)) =
            (object.pointer("/spec/selector/matchLabels"), pod_templates(&object))
        else {
            continue;
        };
        assert_eq!(selector["todostack.dev/stack"], "shop", "{}", object["metadata"]["name"]);
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&template["metadata"]["labels"][key], value, "{}", object["metadata"]["name"]);
        }
    }
}
