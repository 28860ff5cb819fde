//! The Jobs that ran one migration, in turn, and how each ended. When another runs is decided in
//! `resolve/migration.rs`.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::{
    batch::v1::{Job, JobCondition},
    core::v1::{ContainerStateTerminated, ContainerStatus, Pod},
};
use kube::ResourceExt as _;
use serde::Deserialize;

use super::CONTAINER;

/// How a Job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Running,
    Migrated(Timestamp),
    Failed(Timestamp),
}

/// One Job of a migration.
pub struct Attempt<'a> {
    pub job: &'a Job,
    pub outcome: Outcome,
    /// How many came before it.
    number: u32,
    /// The name of the first.
    first: &'a str,
}

/// Termination message of `todostack-api migrate`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    schema_version: i64,
}

impl<'a> Attempt<'a> {
    /// The Jobs of the migration whose first Job has this name, in turn.
    pub fn all(jobs: &'a [Arc<Job>], pods: &[Arc<Pod>], first: &'a str) -> Vec<Self> {
        let attempt = |job: &'a Arc<Job>| {
            let number = number(job.metadata.name.as_deref()?, first)?;
            Some(Self { job, outcome: outcome(job, pods), number, first })
        };
        let mut attempts: Vec<_> = jobs.iter().filter_map(attempt).collect();
        attempts.sort_by_key(|attempt| attempt.number);
        attempts
    }

    /// How many Jobs of the migration came before it.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The name of the Job after it.
    pub fn next_name(&self) -> String {
        format!("{}-{}", self.first, self.number.saturating_add(1))
    }
}

fn number(name: &str, first: &str) -> Option<u32> {
    match name.strip_prefix(first)? {
        "" => Some(0),
        suffix => suffix.strip_prefix('-')?.parse().ok(),
    }
}

/// The pods of a Job. Labels alone do not show it: others can set them.
pub fn pods_of<'a>(job: &Job, pods: &'a [Arc<Pod>]) -> impl Iterator<Item = &'a Arc<Pod>> {
    let uid = job.uid();
    pods.iter().filter(move |pod| pod.owner_references().iter().any(|owner| Some(&owner.uid) == uid.as_ref()))
}

/// The container decides, and not the Job: a sidecar that was injected may run on after it.
pub fn outcome(job: &Job, pods: &[Arc<Pod>]) -> Outcome {
    let ended = pods_of(job, pods).filter_map(|pod| migrated(pod)?.finished_at.as_ref()).map(|time| time.0);
    let completed = condition(job, "Complete").map(|condition| {
        let at = job.status.as_ref().and_then(|status| status.completion_time.as_ref());
        at.or(condition.last_transition_time.as_ref()).map_or(Timestamp::MIN, |time| time.0)
    });
    if let Some(at) = ended.max().or(completed) {
        return Outcome::Migrated(at);
    }
    match condition(job, "Failed") {
        Some(condition) => {
            Outcome::Failed(condition.last_transition_time.as_ref().map_or(Timestamp::MIN, |time| time.0))
        }
        None => Outcome::Running,
    }
}

/// The end of the container that migrates, if it succeeded.
fn migrated(pod: &Pod) -> Option<&ContainerStateTerminated> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    succeeded(statuses.iter().find(|container| container.name == CONTAINER)?)
}

fn succeeded(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    container.state.as_ref()?.terminated.as_ref().filter(|terminated| terminated.exit_code == 0)
}

/// Whether the migration succeeded, and a container beside it keeps the Job from completing: it runs on, or
/// it failed. A Job without one completes by itself, a moment after its container ended.
pub fn is_held_by_sidecar(job: &Job, pods: &[Arc<Pod>]) -> bool {
    pods_of(job, pods).filter(|pod| migrated(pod).is_some()).any(|pod| {
        let mut statuses = pod.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
        !statuses.all(|container| succeeded(container).is_some())
    })
}

/// The version of the schema that a Job reported.
pub fn schema_version(job: &Job, pods: &[Arc<Pod>]) -> Option<i64> {
    let messages = pods_of(job, pods).filter_map(|pod| migrated(pod)?.message.as_deref());
    messages
        .filter_map(|text| serde_json::from_str::<Report>(text.trim()).ok())
        .map(|it| it.schema_version)
        .max()
}

/// A condition of a Job that holds.
pub(super) fn condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    let mut conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.find(|condition| condition.type_ == kind && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::now;

    fn job(condition: &str) -> Job {
        let conditions = json!([{"type": condition, "status": "True", "lastTransitionTime": now()}]);
        let metadata = json!({"name": "shop-migrate-1", "uid": "job"});
        serde_json::from_value(json!({"metadata": metadata, "status": {"conditions": conditions}})).unwrap()
    }

    fn pod(owner: &str, container: &str, state: &Value) -> Arc<Pod> {
        let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": owner});
        let status = json!({"name": container, "image": "i", "imageID": "", "ready": false,
            "restartCount": 0, "state": state});
        let pod = json!({"metadata": {"name": "p", "ownerReferences": [owner]},
            "status": {"containerStatuses": [status]}});
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    fn ended(code: i32) -> Value {
        json!({"terminated": {"exitCode": code, "finishedAt": now(), "message": "{\"schemaVersion\":3}\n"}})
    }

    #[rstest]
    #[case::runs("None", pod("job", CONTAINER, &json!({"running": {}})), Outcome::Running)]
    #[case::complete("Complete", pod("job", CONTAINER, &ended(0)), Outcome::Migrated(now()))]
    #[case::complete_without_its_pods("Complete", pod("other", "x", &ended(1)), Outcome::Migrated(now()))]
    #[case::a_second_attempt_succeeded("Complete", pod("job", CONTAINER, &ended(1)), Outcome::Migrated(now()))]
    #[case::a_sidecar_runs_on("None", pod("job", CONTAINER, &ended(0)), Outcome::Migrated(now()))]
    #[case::a_sidecar_failed("Failed", pod("job", CONTAINER, &ended(0)), Outcome::Migrated(now()))]
    #[case::only_the_sidecar_ended("None", pod("job", "proxy", &ended(0)), Outcome::Running)]
    #[case::a_pod_of_another_job("None", pod("other", CONTAINER, &ended(0)), Outcome::Running)]
    #[case::failed("Failed", pod("job", CONTAINER, &ended(1)), Outcome::Failed(now()))]
    #[case::is_retried_by_the_job("None", pod("job", CONTAINER, &ended(1)), Outcome::Running)]
    fn the_container_that_migrates_decides(
        #[case] condition: &str,
        #[case] pod: Arc<Pod>,
        #[case] expected: Outcome,
    ) {
        assert_eq!(outcome(&job(condition), &[pod]), expected);
    }

    #[test]
    fn the_schema_version_is_that_of_the_container_that_succeeded() {
        let version = |state| schema_version(&job("Complete"), &[pod("job", CONTAINER, &state)]);
        assert_eq!(version(ended(0)), Some(3));
        assert_eq!(version(ended(1)), None);
    }

    #[test]
    fn attempts_are_in_turn_and_only_of_their_migration() {
        let named = |name: &str| {
            let mut job = job("Failed");
            job.metadata.name = Some(name.to_owned());
            Arc::new(job)
        };
        let jobs = ["m-10", "m-2", "m", "m2", "m-x", "other"].map(named);
        let attempts = Attempt::all(&jobs, &[], "m");
        let numbers: Vec<_> = attempts.iter().map(Attempt::number).collect();
        assert_eq!(numbers, [0, 2, 10]);
        assert_eq!(attempts.last().unwrap().next_name(), "m-11");
    }
}
