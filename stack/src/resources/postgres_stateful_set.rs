//! The StatefulSet of the database: one pod of the Postgres image, as the image's user, on a read-only root
//! filesystem.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec},
        core::v1::{
            ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, ExecAction,
            PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Probe, TCPSocketAction, Volume,
            VolumeMount,
        },
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta, util::intstr::IntOrString},
};

use super::{pod, pod_template, postgres_contract, postgres_service};
use crate::{
    build::Desired,
    labels::{self, Component},
    names,
    part::Part,
    stack::{Postgres, Stack, VolumeSource},
    upgrade::{self, Rollout},
};

/// Output of the readiness probe when the volume does not respond.
pub const SILENT_VOLUME: &str = "the volume does not answer";
/// Output of the readiness probe before the error of the volume.
pub const UNREADABLE_VOLUME: &str = "the volume cannot be read: ";
/// Output of the readiness probe before the error of the server.
pub const ROLES_NOT_SET: &str = "the roles of the operator cannot be set: ";
/// Name of the container of the server.
pub const CONTAINER: &str = "postgres";
/// Annotation of StatefulSet and template: a new superuser password reaches the server by a restart.
const REVISION: &str = "todostack.dev/superuser-revision";
/// Annotation of the template with the options of the NFS mount: the kubelet reads a PersistentVolume once
/// for each pod, so corrected options reach a new pod only.
const MOUNT_OPTIONS: &str = "todostack.dev/mount-options";
/// Mount path of the superuser's Secret.
const SUPERUSER: &str = "/etc/todostack/superuser";
/// Name of the init container that checks the volume.
pub const PREFLIGHT: &str = "preflight";
/// What both scripts below begin with.
#[cfg(test)]
const VOLUME_SCRIPT: &str = include_str!("volume.sh");
/// Script that checks the volume.
const PREFLIGHT_SCRIPT: &str = concat!(include_str!("volume.sh"), include_str!("preflight.sh"));
/// Script that starts the server, after the functions that it calls.
const START: &str =
    concat!(include_str!("volume.sh"), include_str!("access.sh"), include_str!("postgres_start.sh"));
/// Script of the readiness probe.
const READY: &str = include_str!("postgres_ready.sh");
/// Seconds that initialization and recovery may take before the kubelet restarts the container: an hour.
const START_SECONDS: i32 = 3600;
/// Seconds for a shutdown checkpoint.
const STOP_SECONDS: i64 = 120;

pub(crate) fn desired(stack: &Stack) -> Desired {
    let startable = stack.startable_postgres().filter(|_| !stack.is_blocked(Part::Database));
    Desired::apply(startable.map(|postgres| build(stack, postgres)))
}

/// The revision of the superuser's credentials of a StatefulSet's template.
pub(crate) fn revision(metadata: &ObjectMeta) -> Option<&str> {
    metadata.annotations.as_ref()?.get(REVISION).map(String::as_str)
}

pub(super) fn build(stack: &Stack, postgres: &Postgres) -> StatefulSet {
    let template = template(stack, postgres);
    let mut metadata = labels::owned(stack, names::database(&stack.id.name), Component::Database);
    let mut annotations = upgrade::annotations(stack, Rollout::Database, &template);
    annotations.insert(REVISION.to_owned(), superuser_revision(postgres));
    metadata.annotations = Some(annotations);
    StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            service_name: Some(names::database(&stack.id.name)),
            replicas: Some(1),
            selector: labels::selector(stack, Component::Database),
            template,
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    }
}

fn superuser_revision(postgres: &Postgres) -> String {
    postgres.credentials.superuser.as_ref().map(|login| login.revision.clone()).unwrap_or_default()
}

fn template(stack: &Stack, postgres: &Postgres) -> PodTemplateSpec {
    let spec = PodSpec {
        service_account_name: Some(names::service_account(&stack.id.name)),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(match postgres.volume.source {
            VolumeSource::Nfs { .. } => pod::security(postgres.run_as_user),
            VolumeSource::Class(_) => pod::security_with_volume(postgres.run_as_user),
        }),
        termination_grace_period_seconds: Some(STOP_SECONDS),
        init_containers: Some(vec![preflight(postgres)]),
        containers: vec![container(postgres)],
        volumes: Some(volumes(stack, postgres)),
        ..PodSpec::default()
    };
    let mut annotations = BTreeMap::from([(REVISION.to_owned(), superuser_revision(postgres))]);
    if let VolumeSource::Nfs { mount_options, .. } = &postgres.volume.source {
        annotations.insert(MOUNT_OPTIONS.to_owned(), mount_options.join(","));
    }
    let own = pod_template::Own { annotations, spec };
    pod_template::build(stack, Component::Database, &postgres.pods, own)
}

/// The check of the volume, in the server's own image and as its user: it sees what the server would.
fn preflight(postgres: &Postgres) -> Container {
    Container {
        name: PREFLIGHT.to_owned(),
        image: Some(postgres.image.clone()),
        command: Some(["/bin/sh", "-c", PREFLIGHT_SCRIPT].map(str::to_owned).to_vec()),
        env: Some(vec![
            pod::variable("PREFLIGHT_MAJOR", &postgres.version.to_string()),
            pod::variable("PREFLIGHT_VOLUME", postgres_contract::mount_path(postgres.version)),
        ]),
        resources: Some(postgres.resources.clone()),
        security_context: Some(pod::container_security()),
        termination_message_policy: Some(pod::message_policy()),
        volume_mounts: Some(vec![
            data(postgres),
            pod::mount("tmp", "/tmp"),
            pod::mount_read_only("superuser", SUPERUSER),
        ]),
        ..Container::default()
    }
}

fn container(postgres: &Postgres) -> Container {
    let parameters =
        postgres.parameters.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]);
    let mut mounts = vec![
        data(postgres),
        pod::mount("run", "/var/run/postgresql"),
        pod::mount("tmp", "/tmp"),
        pod::mount("shm", "/dev/shm"),
        pod::mount_read_only("superuser", SUPERUSER),
    ];
    if postgres.init_scripts.is_some() {
        mounts.push(pod::mount_read_only("init-scripts", "/docker-entrypoint-initdb.d"));
    }
    Container {
        name: CONTAINER.to_owned(),
        image: Some(postgres.image.clone()),
        command: Some(["/bin/sh", "-c", START, "start"].map(str::to_owned).to_vec()),
        args: Some(std::iter::once("postgres".to_owned()).chain(parameters).collect()),
        env: Some(environment(postgres)),
        ports: Some(vec![ContainerPort {
            name: Some(postgres_service::PORT.to_owned()),
            container_port: postgres_service::NUMBER,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        resources: Some(postgres.resources.clone()),
        security_context: Some(pod::container_security()),
        termination_message_policy: Some(pod::message_policy()),
        // No liveness probe: a stalled volume or a long recovery is not mended by killing the server.
        startup_probe: Some(listens()),
        readiness_probe: Some(accepts()),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

fn environment(postgres: &Postgres) -> Vec<EnvVar> {
    vec![
        pod::variable("PGDATA", &postgres_contract::data_directory(postgres.version)),
        pod::variable("POSTGRES_USER_FILE", &format!("{SUPERUSER}/username")),
        pod::variable("POSTGRES_PASSWORD_FILE", &format!("{SUPERUSER}/password")),
        // Init scripts run in this database, the one that the API uses.
        pod::variable("POSTGRES_DB", &postgres.dbname),
        pod::variable("POSTGRES_INITDB_ARGS", &postgres_contract::initdb_arguments(postgres.version)),
    ]
}

/// The mount of the volume.
fn data(postgres: &Postgres) -> VolumeMount {
    pod::mount("data", postgres_contract::mount_path(postgres.version))
}

/// That the port is open: without a process in the container, which costs a slow node more than the server's
/// start. While the entrypoint prepares an empty directory, its server listens on the socket alone.
fn listens() -> Probe {
    Probe {
        tcp_socket: Some(TCPSocketAction {
            port: IntOrString::String(postgres_service::PORT.to_owned()),
            ..TCPSocketAction::default()
        }),
        period_seconds: Some(1),
        failure_threshold: Some(START_SECONDS),
        ..Probe::default()
    }
}

/// Checks that the volume responds and that the server accepts connections: the server listens before it has
/// recovered, and accepts connections while each of its writes waits for an unreachable NFS server.
fn accepts() -> Probe {
    let command = ["/bin/sh", "-c", READY].map(str::to_owned);
    Probe {
        exec: Some(ExecAction { command: Some(command.to_vec()) }),
        period_seconds: Some(5),
        timeout_seconds: Some(5),
        failure_threshold: Some(3),
        ..Probe::default()
    }
}

fn volumes(stack: &Stack, postgres: &Postgres) -> Vec<Volume> {
    let claim =
        PersistentVolumeClaimVolumeSource { claim_name: postgres.volume.claim.clone(), read_only: None };
    let mut volumes = vec![
        Volume { name: "data".to_owned(), persistent_volume_claim: Some(claim), ..Volume::default() },
        pod::scratch("run"),
        pod::scratch("tmp"),
        shared_memory(),
        pod::secret_files("superuser", names::superuser_secret(&stack.id.name)),
    ];
    if let Some(name) = &postgres.init_scripts {
        let source = ConfigMapVolumeSource { name: name.clone(), ..ConfigMapVolumeSource::default() };
        volumes.push(Volume {
            name: "init-scripts".to_owned(),
            config_map: Some(source),
            ..Volume::default()
        });
    }
    volumes
}

/// Parallel queries share memory through /dev/shm, of which a container has 64 MiB by default.
fn shared_memory() -> Volume {
    let source = EmptyDirVolumeSource {
        medium: Some("Memory".to_owned()),
        size_limit: Some(Quantity("256Mi".to_owned())),
    };
    Volume { name: "shm".to_owned(), empty_dir: Some(source), ..Volume::default() }
}

#[cfg(test)]
mod tests;
