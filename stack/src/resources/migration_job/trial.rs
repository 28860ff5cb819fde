//! The pod that tries an API image on a copy of the SQLite file, while the pod before it serves the file.
//! When it is needed is decided in `resolve/migration/trial.rs`.

use k8s_openapi::{
    api::core::v1::{Container, PodAffinityTerm, PodSpec},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};
use todostack_crds::pods::PodSettings;

use super::CONTAINER;
use crate::{
    labels::{self, Component},
    names,
    resources::{api_deployment, api_environment, jwks_ca, pod},
    stack::{Sqlite, Stack},
};

/// A volume for one node is mounted by two pods of that node.
pub(super) fn beside_the_api(stack: &Stack, settings: &mut PodSettings) {
    let selector: LabelSelector = labels::selector(stack, Component::Api);
    let term = PodAffinityTerm {
        label_selector: Some(selector),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    };
    let affinity = settings.affinity.get_or_insert_default().pod_affinity.get_or_insert_default();
    affinity.required_during_scheduling_ignored_during_execution.get_or_insert_default().push(term);
}

pub(super) fn pod_spec(stack: &Stack, sqlite: &Sqlite) -> PodSpec {
    let mut volumes = vec![pod::scratch("tmp"), api_deployment::data(sqlite)];
    volumes.extend(jwks_ca::volume(&stack.api));
    PodSpec {
        service_account_name: Some(names::service_account(&stack.id.name)),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        restart_policy: Some("Never".to_owned()),
        security_context: Some(pod::security_with_volume(pod::API_UID)),
        containers: vec![container(stack)],
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

/// As the API's pods, with all of their settings.
fn container(stack: &Stack) -> Container {
    // Readers of a file with a write-ahead log write to its index.
    let mut mounts = vec![pod::mount("tmp", "/tmp"), pod::mount("data", api_deployment::DATA)];
    mounts.extend(jwks_ca::mount(&stack.api));
    Container {
        name: CONTAINER.to_owned(),
        image: Some(stack.api.image.clone()),
        image_pull_policy: Some(stack.api.image_pull_policy.to_owned()),
        args: Some(["try", "--copy", "/tmp/todos.db"].map(str::to_owned).to_vec()),
        env: Some(api_environment::build(stack)),
        resources: Some(stack.api.resources.clone()),
        security_context: Some(pod::container_security()),
        termination_message_policy: Some(pod::message_policy()),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}
