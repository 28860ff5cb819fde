//! When another image of the API is tried, and when it reaches the pod that has the SQLite file.

use std::sync::Arc;

use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::{
    build::{Desired, build},
    fixtures::resolved_from,
    managed::Object,
    observed::Observed,
    stack::{JobPlan, Stack},
};

const OLD: &str = "registry.example.com/api:0";
const NEW: &str = "registry.example.com/api:1";
const SPEC: &str = "{database: {sqlite: {}}}";

fn first(image: &str) -> String {
    names::migration("shop", image, "")
}

fn job(image: &str, condition: &str) -> Arc<Job> {
    let conditions = json!([{"type": condition, "status": "True"}]);
    let metadata =
        json!({"name": first(image), "uid": "job", "annotations": {"todostack.dev/api-image": image}});
    Arc::new(
        serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": conditions}})).unwrap(),
    )
}

fn pod(phase: &str) -> Arc<Pod> {
    let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "job"});
    let pod = json!({"metadata": {"name": "p", "ownerReferences": [owner]}, "status": {"phase": phase}});
    Arc::new(serde_json::from_value(pod).unwrap())
}

struct Scene {
    image: &'static str,
    ready: i32,
    jobs: Vec<Arc<Job>>,
    pods: Vec<Arc<Pod>>,
}

fn serving(image: &'static str, ready: i32) -> Scene {
    Scene { image, ready, jobs: vec![], pods: vec![] }
}

fn with(scene: &Scene, condition: &str, phase: &str) -> Scene {
    Scene { jobs: vec![job(NEW, condition)], pods: vec![pod(phase)], image: scene.image, ready: scene.ready }
}

fn resolved(scene: &Scene, spec: &str) -> Stack {
    let annotations =
        json!({"todostack.dev/released-image": scene.image, "todostack.dev/released-revision": ""});
    let deployment =
        json!({"metadata": {"annotations": annotations}, "status": {"readyReplicas": scene.ready}});
    let observed = Observed {
        deployment: Some(Arc::new(serde_json::from_value(deployment).unwrap())),
        jobs: scene.jobs.clone(),
        pods: scene.pods.clone(),
        ..Observed::default()
    };
    resolved_from(spec, &observed)
}

#[rstest]
#[case::before_the_trial(serving(OLD, 1), OLD, JobPlan::Run)]
#[case::while_its_pod_waits(with(&serving(OLD, 1), "None", "Pending"), OLD, JobPlan::Run)]
#[case::while_it_runs(with(&serving(OLD, 1), "None", "Running"), OLD, JobPlan::Run)]
#[case::when_it_has_failed(with(&serving(OLD, 1), "Failed", "Failed"), OLD, JobPlan::Run)]
#[case::when_it_has_succeeded(with(&serving(OLD, 1), "Complete", "Succeeded"), NEW, JobPlan::None)]
#[case::no_pod_serves(serving(OLD, 0), NEW, JobPlan::None)]
#[case::no_pod_serves_while_the_trial_waits_for_its_node(
    with(&serving(OLD, 0), "None", "Pending"),
    NEW,
    JobPlan::None
)]
#[case::the_pod_failed_during_the_trial(with(&serving(OLD, 0), "None", "Running"), OLD, JobPlan::Run)]
#[case::the_pod_failed_after_the_trial_failed(with(&serving(OLD, 0), "Failed", "Failed"), OLD, JobPlan::Run)]
#[case::the_pod_has_the_image(serving(NEW, 1), NEW, JobPlan::None)]
fn an_image_reaches_the_file_after_it_was_tried_on_a_copy(
    #[case] scene: Scene,
    #[case] image: &str,
    #[case] plan: JobPlan,
) {
    let stack = resolved(&scene, SPEC);
    assert_eq!((stack.api.release.image.as_str(), &stack.migration.plan), (image, &plan));
    assert_eq!(stack.migration.is_done, image == NEW);
}

#[test]
fn the_first_image_is_not_tried() {
    let stack = resolved_from(SPEC, &Observed::default());
    assert_eq!((stack.api.release.image.as_str(), stack.migration.plan), (NEW, JobPlan::None));
}

#[test]
fn no_image_is_tried_while_no_pod_is_desired() {
    let stack = resolved(&serving(OLD, 1), "{api: {replicas: 0}, database: {sqlite: {}}}");
    assert_eq!((stack.api.release.image.as_str(), stack.migration.plan), (NEW, JobPlan::None));
}

#[test]
fn the_trial_of_an_image_that_is_no_longer_wanted_is_deleted() {
    let scene = Scene { jobs: vec![job(OLD, "None")], pods: vec![pod("Running")], ..serving(NEW, 1) };
    assert_eq!(resolved(&scene, SPEC).migration.plan, JobPlan::Delete(first(OLD)));
}

// The Job and the Deployment of a stack whose image is about to change.
fn objects(spec: &str) -> (Value, Value) {
    let stack = resolved(&serving(OLD, 1), spec);
    let (mut trial, mut serving) = (Value::Null, Value::Null);
    for (_, desired) in build(&stack) {
        match desired {
            Desired::Apply(Object::Job(job)) => trial = serde_json::to_value(job).unwrap(),
            Desired::Apply(Object::Deployment(it)) => serving = serde_json::to_value(it).unwrap(),
            Desired::Apply(_) | Desired::Keep | Desired::Delete(_) => {}
        }
    }
    (trial["spec"]["template"]["spec"].clone(), serving["spec"]["template"]["spec"].clone())
}

#[test]
fn the_trial_differs_from_the_pod_that_follows_in_what_it_does_with_the_file() {
    let (trial, serving) = objects("{api: {logLevel: debug}, database: {sqlite: {}}}");
    let (trial, serving) = (&trial["containers"][0], &serving["containers"][0]);
    assert_eq!((trial["image"].as_str(), serving["image"].as_str()), (Some(NEW), Some(OLD)));
    assert_eq!(trial["args"], json!(["try", "--copy", "/tmp/todos.db"]));
    for field in ["env", "resources", "volumeMounts", "securityContext"] {
        assert_eq!(trial[field], serving[field], "{field}");
    }
}

// A volume for one node cannot be mounted on another one.
#[test]
fn the_trial_runs_on_the_node_of_the_pod_that_serves() {
    let settings = "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
        {topologyKey: zone, labelSelector: {matchLabels: {team: other}}}]}}";
    let (trial, serving) = objects(&format!("{{api: {{affinity: {settings}}}, database: {{sqlite: {{}}}}}}"));
    let term = &trial["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
    assert_eq!(term["topologyKey"], "kubernetes.io/hostname");
    let labels = &term["labelSelector"]["matchLabels"];
    assert_eq!(labels["app.kubernetes.io/component"], "api", "{labels}");
    // What the spec says holds too.
    assert_eq!(trial["affinity"]["podAntiAffinity"], serving["affinity"]["podAntiAffinity"]);
    assert!(serving["affinity"]["podAntiAffinity"].is_object());
    assert_eq!(trial["volumes"], serving["volumes"]);
}
