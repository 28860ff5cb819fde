//! The Job that creates role and schema for one API image, before any pod of that image serves. For SQLite,
//! it tries the image on a copy of the file: `migration_job/trial.rs`.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::api::{
    batch::v1::{
        Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
    },
    core::v1::{Container, ExecAction, Pod, PodSpec, Probe},
};
use kube::ResourceExt as _;
use todostack_crds::pods::PodSettings;

use super::{pod, pod_template};
use crate::{
    build::Desired,
    labels::{self, COMPONENT, Component},
    managed::Key,
    names,
    part::Part,
    stack::{Database, JobPlan, Postgres, Stack},
    upgrade,
};

mod attempts;
mod trial;

pub use attempts::{Attempt, Outcome, is_held_by_sidecar, outcome, pods_of, schema_version};

/// Name of the container that migrates.
pub const CONTAINER: &str = "migrate";
/// Name of the init container that creates the role.
pub const ROLES: &str = "roles";
/// Annotation with the API image whose migrations these are.
const IMAGE: &str = "todostack.dev/api-image";
/// Script of the init container.
const ROLES_SCRIPT: &str = include_str!("roles.sh");
/// Mount path of the application's Secret in the init container.
const APP: &str = "/etc/todostack/app";
/// Retries: enough for a database that just started, few enough that a broken migration is reported soon.
const RETRIES: i32 = 3;

/// Its desired state. An existing Job is never written again: its template cannot change.
pub(crate) fn desired(stack: &Stack) -> Desired {
    match &stack.migration.plan {
        JobPlan::Delete(name) => Desired::Delete(Key::new::<Job>(name.clone())),
        JobPlan::Run => Desired::apply(build(stack).filter(|_| !stack.is_blocked(Part::Storage))),
        JobPlan::None => Desired::Keep,
    }
}

/// None without a login. SQLite needs none.
pub(super) fn build(stack: &Stack) -> Option<Job> {
    if let Some(credentials) = stack.credentials() {
        credentials.app.as_ref()?;
    }
    let mut metadata = labels::owned(stack, stack.migration.job.clone()?, Component::Migration);
    let image = (IMAGE.to_owned(), stack.api.image.clone());
    metadata.annotations = Some(std::iter::once(image).chain(upgrade::job_annotation(stack)).collect());
    Some(Job {
        metadata,
        spec: Some(JobSpec {
            backoff_limit: Some(RETRIES),
            pod_failure_policy: Some(ignoring_disruptions()),
            template: pod_template::build(
                stack,
                Component::Migration,
                &pod_settings(stack),
                pod_template::Own { annotations: BTreeMap::new(), spec: pod_spec(stack) },
            ),
            ..JobSpec::default()
        }),
        ..Job::default()
    })
}

/// A pod that a drain or a preemption ended did not fail: it is replaced and no retry is used up.
fn ignoring_disruptions() -> PodFailurePolicy {
    let disrupted = PodFailurePolicyOnPodConditionsPattern {
        type_: "DisruptionTarget".to_owned(),
        status: Some("True".to_owned()),
    };
    let rule = PodFailurePolicyRule {
        action: "Ignore".to_owned(),
        on_pod_conditions: Some(vec![disrupted]),
        ..PodFailurePolicyRule::default()
    };
    PodFailurePolicy { rules: vec![rule] }
}

/// The API image whose migrations a Job ran.
pub fn image(job: &Job) -> Option<&str> {
    job.metadata.annotations.as_ref()?.get(IMAGE).map(String::as_str)
}

/// Whether a Job has run to its end.
pub fn complete(job: &Job) -> bool {
    attempts::condition(job, "Complete").is_some()
}

/// Whether a Job has given up.
pub fn failed(job: &Job) -> bool {
    attempts::condition(job, "Failed").is_some()
}

/// Whether a Job has ended, either way.
pub fn finished(job: &Job) -> bool {
    complete(job) || failed(job)
}

/// Whether a Job has not ended and none of its pods has started its containers.
pub fn waits_to_start(job: &Job, pods: &[Arc<Pod>]) -> bool {
    let has_started = pods_of(job, pods).any(|pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        phase.is_some_and(|phase| phase != "Pending")
    });
    !finished(job) && !has_started
}

/// Whether a pod runs that belongs to another Job than `name`, which may be deleted already.
pub fn has_pod_of_another(name: &str, pods: &[Arc<Pod>]) -> bool {
    pods.iter().any(|pod| {
        let label = |key: &str| pod.labels().get(key).map(String::as_str);
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        label(COMPONENT) == Some(Component::Migration.as_str())
            && label("job-name") != Some(name)
            && !matches!(phase, Some("Succeeded" | "Failed"))
    })
}

/// The Secret with the desired credentials.
fn secret(stack: &Stack) -> String {
    let is_next = stack.credentials().is_some_and(|credentials| credentials.change.is_under_way());
    if is_next { names::next_secret(&stack.id.name) } else { names::app_secret(&stack.id.name) }
}

/// The settings of the API's pods. The init container has the image of the database, which may need pull
/// Secrets of its own.
fn pod_settings(stack: &Stack) -> PodSettings {
    let mut settings = stack.api.pods.clone();
    if let Database::Postgres(postgres) = &stack.database {
        let known = settings.image_pull_secrets.clone();
        let others = postgres.pods.image_pull_secrets.iter().filter(|secret| !known.contains(secret));
        settings.image_pull_secrets.extend(others.cloned());
    }
    if matches!(stack.database, Database::Sqlite(_)) {
        trial::beside_the_api(stack, &mut settings);
    }
    settings
}

fn pod_spec(stack: &Stack) -> PodSpec {
    let postgres = match &stack.database {
        Database::Postgres(postgres) => Some(postgres.as_ref()),
        Database::External(_) => None,
        Database::Sqlite(sqlite) => return trial::pod_spec(stack, sqlite),
    };
    let mut volumes = vec![pod::scratch("tmp")];
    volumes.extend(postgres.map(|_| pod::secret_files("app", secret(stack))));
    PodSpec {
        service_account_name: Some(names::service_account(&stack.id.name)),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        // With Never, each attempt has its own pod, whose termination message stays readable.
        restart_policy: Some("Never".to_owned()),
        security_context: Some(pod::security(pod::API_UID)),
        init_containers: postgres.map(|postgres| vec![roles(stack, postgres)]),
        containers: vec![migrate(stack)],
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

fn roles(stack: &Stack, postgres: &Postgres) -> Container {
    Container {
        name: ROLES.to_owned(),
        image: Some(postgres.image.clone()),
        command: Some(["/bin/sh", "-c", ROLES_SCRIPT].map(str::to_owned).to_vec()),
        env: Some(pod::login(&names::superuser_secret(&stack.id.name))),
        resources: Some(stack.api.resources.clone()),
        security_context: Some(pod::container_security()),
        termination_message_policy: Some(pod::message_policy()),
        volume_mounts: Some(vec![pod::mount("tmp", "/tmp"), pod::mount_read_only("app", APP)]),
        ..Container::default()
    }
}

fn migrate(stack: &Stack) -> Container {
    let mut env = pod::login(&secret(stack));
    env.push(pod::variable("TODOSTACK_LOG_LEVEL", stack.api.log_level));
    env.push(pod::variable("TODOSTACK_REPORT_FILE", "/dev/termination-log"));
    Container {
        name: CONTAINER.to_owned(),
        image: Some(stack.api.image.clone()),
        image_pull_policy: Some(stack.api.image_pull_policy.to_owned()),
        args: Some(vec!["migrate".to_owned()]),
        readiness_probe: Some(reaches()),
        env: Some(env),
        resources: Some(stack.api.resources.clone()),
        security_context: Some(pod::container_security()),
        termination_message_policy: Some(pod::message_policy()),
        volume_mounts: Some(vec![pod::mount("tmp", "/tmp")]),
        ..Container::default()
    }
}

/// Checks that the database is reachable. The pod receives no requests, but the output of a failed probe
/// becomes an Event, from which the operator reports what the migration waits for. A reachable database is
/// migrated before the first probe.
fn reaches() -> Probe {
    let command = ["/todostack-api", "migrate", "--check"];
    Probe {
        exec: Some(ExecAction { command: Some(command.map(str::to_owned).to_vec()) }),
        initial_delay_seconds: Some(3),
        period_seconds: Some(5),
        timeout_seconds: Some(5),
        failure_threshold: Some(1),
        ..Probe::default()
    }
}
