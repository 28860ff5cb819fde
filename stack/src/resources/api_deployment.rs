//! The Deployment of the API. Its pods are ready when the API reports that database and schema are.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::{
            Container, ContainerPort, ExecAction, HTTPGetAction, PersistentVolumeClaimVolumeSource, PodSpec,
            Probe, Volume,
        },
    },
    apimachinery::pkg::{apis::meta::v1::ObjectMeta, util::intstr::IntOrString},
};

use super::{api_environment, api_service, jwks_ca, pod, pod_template};
use crate::{
    build::Desired,
    labels::{self, Component},
    names,
    part::Part,
    stack::{Database, Release, Sqlite, Stack},
    upgrade::{self, Rollout},
};

/// Name of the container.
pub const CONTAINER: &str = "api";
/// Annotations with the release of the template.
const RELEASED_IMAGE: &str = "todostack.dev/released-image";
const RELEASED_REVISION: &str = "todostack.dev/released-revision";
/// Port of probes and metrics, apart from the API's, so that no Ingress exposes it.
const OPERATIONS: &str = "operations";
pub(super) const OPERATIONS_NUMBER: i32 = 9090;
/// Mount path of the SQLite file's volume.
pub(super) const DATA: &str = "/data";

/// Its desired state. Pods could not be created without credentials; those that run go on serving.
pub(crate) fn desired(stack: &Stack) -> Desired {
    let has_login = stack.credentials().is_none_or(|credentials| credentials.app.is_some());
    // The file of SQLite is on a volume of the API's pod.
    let has_volume = stack.credentials().is_some() || !stack.is_blocked(Part::Storage);
    Desired::apply((has_login && has_volume).then(|| build(stack)))
}

pub(super) fn build(stack: &Stack) -> Deployment {
    let Release { image, revision } = &stack.api.release;
    let own = pod_template::Own {
        annotations: [(RELEASED_REVISION.to_owned(), revision.clone())].into(),
        spec: pod_spec(stack),
    };
    let template = pod_template::build(stack, Component::Api, &stack.api.pods, own);
    let mut metadata = labels::owned(stack, names::api(&stack.id.name), Component::Api);
    let mut annotations = upgrade::annotations(stack, Rollout::Api, &template);
    annotations.extend([
        (RELEASED_IMAGE.to_owned(), image.clone()),
        (RELEASED_REVISION.to_owned(), revision.clone()),
    ]);
    metadata.annotations = Some(annotations);
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            // Server-side apply leaves the value to its other owner.
            replicas: (!stack.api.autoscaled).then_some(stack.api.replicas),
            selector: labels::selector(stack, Component::Api),
            strategy: Some(strategy(&stack.database)),
            template,
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

/// The release of a Deployment's template.
pub fn released(deployment: &Deployment) -> Option<Release> {
    released_by(&deployment.metadata)
}

pub(crate) fn released_by(metadata: &ObjectMeta) -> Option<Release> {
    let annotations = metadata.annotations.as_ref()?;
    Some(Release {
        image: annotations.get(RELEASED_IMAGE)?.clone(),
        revision: annotations.get(RELEASED_REVISION)?.clone(),
    })
}

/// A rollout never reduces the number of ready pods. A SQLite file has one writer, so its old pod stops
/// first.
fn strategy(database: &Database) -> DeploymentStrategy {
    match database {
        Database::Sqlite(_) => {
            DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None }
        }
        Database::Postgres(_) | Database::External(_) => DeploymentStrategy {
            type_: Some("RollingUpdate".to_owned()),
            rolling_update: Some(RollingUpdateDeployment {
                max_surge: Some(IntOrString::Int(1)),
                max_unavailable: Some(IntOrString::Int(0)),
            }),
        },
    }
}

fn pod_spec(stack: &Stack) -> PodSpec {
    let mut volumes = vec![pod::scratch("tmp")];
    volumes.extend(jwks_ca::volume(&stack.api));
    let mut security = pod::security(pod::API_UID);
    if let Database::Sqlite(sqlite) = &stack.database {
        volumes.push(data(sqlite));
        security = pod::security_with_volume(pod::API_UID);
    }
    PodSpec {
        service_account_name: Some(names::service_account(&stack.id.name)),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(security),
        containers: vec![container(stack)],
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

/// The volume of the SQLite file.
pub(super) fn data(sqlite: &Sqlite) -> Volume {
    let claim =
        PersistentVolumeClaimVolumeSource { claim_name: sqlite.volume.claim.clone(), read_only: None };
    Volume { name: "data".to_owned(), persistent_volume_claim: Some(claim), ..Volume::default() }
}

fn container(stack: &Stack) -> Container {
    let mut mounts = vec![pod::mount("tmp", "/tmp")];
    mounts.extend(jwks_ca::mount(&stack.api));
    if matches!(stack.database, Database::Sqlite(_)) {
        mounts.push(pod::mount("data", DATA));
    }
    let port = |name: &str, number| ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    Container {
        name: CONTAINER.to_owned(),
        image: Some(stack.api.release.image.clone()),
        image_pull_policy: Some(stack.api.image_pull_policy.to_owned()),
        args: Some(vec!["serve".to_owned()]),
        env: Some(api_environment::build(stack)),
        ports: Some(vec![port(api_service::PORT, api_service::TARGET), port(OPERATIONS, OPERATIONS_NUMBER)]),
        resources: Some(stack.api.resources.clone()),
        security_context: Some(pod::container_security()),
        termination_message_policy: Some(pod::message_policy()),
        startup_probe: stack.api.jwt.as_ref().map(|_| startup_probe()),
        readiness_probe: Some(probe("/readyz", 2, 2)),
        liveness_probe: Some(probe("/livez", 10, 3)),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

/// Waits until the API has read the keys of the tokens' issuer. By a command, whose output the kubelet puts
/// into the Event `Unhealthy`, and not the body of a response.
fn startup_probe() -> Probe {
    let command = ["/todostack-api", "healthcheck", "--keys"].map(str::to_owned);
    Probe {
        exec: Some(ExecAction { command: Some(command.to_vec()) }),
        period_seconds: Some(2),
        timeout_seconds: Some(5),
        // A day: a restart would not bring the issuer back.
        failure_threshold: Some(43_200),
        ..Probe::default()
    }
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(OPERATIONS.to_owned()),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(2),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}
