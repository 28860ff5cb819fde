//! Which Job runs next, by what ran before, by what the status remembers and by what API pods report.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::TodoStackStatus;

use super::*;
use crate::{
    fixtures::{now, resolved_at, todostack},
    observed::Observed,
};

const IMAGE: &str = "registry.example.com/api:1";
const OTHER_IMAGE: &str = "registry.example.com/api:0";

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn first(image: &str) -> String {
    names::migration("shop", image, "revision-1")
}

/// A Job with this suffix that ended so long ago.
fn job(suffix: &str, condition: &str, minutes: i64) -> Arc<Job> {
    let name = format!("{}{suffix}", first(IMAGE));
    named(&name, condition, minutes)
}

fn named(name: &str, condition: &str, minutes: i64) -> Arc<Job> {
    let conditions = json!([{"type": condition, "status": "True", "lastTransitionTime": ago(minutes)}]);
    let metadata = json!({"name": name, "uid": name});
    let job = json!({"metadata": metadata, "status": {"conditions": conditions}});
    Arc::new(serde_json::from_value(job).unwrap())
}

/// The pod of a Job whose migration succeeded so long ago, with the states of other containers.
fn migrated(job: &Job, minutes: i64, others: &[Value]) -> Value {
    let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": job.metadata.uid});
    let state = json!({"terminated": {"exitCode": 0, "finishedAt": ago(minutes)}});
    let status = |name: &str, state: &Value| json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state});
    let others = others.iter().map(|state| status("proxy", state));
    let statuses: Vec<_> = std::iter::once(status("migrate", &state)).chain(others).collect();
    let metadata = json!({"name": "m", "ownerReferences": [owner]});
    json!({"metadata": metadata, "status": {"containerStatuses": statuses}})
}

fn remembered(image: &str, revision: &str, minutes: i64) -> MigrationStatus {
    MigrationStatus {
        image: image.to_owned(),
        revision: revision.to_owned(),
        completion_time: Some(Time(ago(minutes))),
        schema_version: Some(7),
    }
}

struct Scene {
    observed: Observed,
    status: TodoStackStatus,
}

impl Scene {
    fn new(jobs: Vec<Arc<Job>>, migrations: Option<MigrationStatus>) -> Self {
        let status = TodoStackStatus { migrations, ..TodoStackStatus::default() };
        Self { observed: Observed { jobs, ..Observed::default() }, status }
    }

    fn with_pod(mut self, pod: Value) -> Self {
        self.observed.pods.push(Arc::new(serde_json::from_value(pod).unwrap()));
        self
    }

    /// An API pod answers this status since so long, and the last time a moment ago.
    fn with_unready_api(mut self, code: u16, minutes: i64) -> Self {
        let condition = Condition {
            type_: "ApiAvailable".into(),
            status: "False".into(),
            reason: "Progressing".into(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(ago(minutes)),
        };
        self.status.conditions = vec![condition];
        let deployment = json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 2}});
        self.observed.deployment = Some(Arc::new(serde_json::from_value(deployment).unwrap()));
        let event = json!({"metadata": {}, "reason": "Unhealthy", "lastTimestamp": now(),
            "message": format!("Readiness probe failed: HTTP probe failed with statuscode: {code}"),
            "involvedObject": {"kind": "Pod", "uid": "new"}});
        self.observed.events = vec![serde_json::from_value(event).unwrap()];
        self.with_pod(api_pod("new", 10))
    }

    fn migration(&self) -> Migration {
        let mut todostack = todostack("{}");
        todostack.status = Some(self.status.clone());
        resolved_at(&todostack, &self.observed, now()).migration
    }

    /// What is planned, with the suffix of the Job's name.
    fn plan(&self) -> (bool, JobPlan, String) {
        let Migration { is_done, plan, job, .. } = self.migration();
        (is_done, plan, job.unwrap().strip_prefix(&first(IMAGE)).unwrap().to_owned())
    }
}

fn api_pod(template: &str, minutes: i64) -> Value {
    let labels = json!({"app.kubernetes.io/component": "api", "pod-template-hash": template});
    let state = json!({"running": {"startedAt": ago(minutes)}});
    json!({"metadata": {"name": template, "uid": template, "labels": labels, "creationTimestamp": ago(minutes)},
    "status": {"containerStatuses": [
        {"name": "api", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state},
    ]}})
}

#[test]
fn a_migration_that_the_status_remembers_needs_no_job() {
    for revision in ["revision-1", "revision-1-beside"] {
        let scene = Scene::new(vec![], Some(remembered(IMAGE, revision, 5)));
        let plan = if revision == "revision-1" { JobPlan::None } else { JobPlan::Run };
        assert_eq!(scene.plan(), (true, plan, String::new()), "{revision}");
        assert_eq!(scene.migration().completed, scene.status.migrations);
    }
}

#[rstest]
#[case::nothing(None)]
#[case::another_image(Some(remembered(OTHER_IMAGE, "revision-1", 5)))]
#[case::other_credentials(Some(remembered(IMAGE, "revision-0", 5)))]
#[case::by_an_earlier_version(Some(remembered(IMAGE, "", 5)))]
fn without_the_memory_of_image_and_credentials_the_first_job_runs(#[case] memory: Option<MigrationStatus>) {
    let scene = Scene::new(vec![], memory.clone());
    assert_eq!(scene.plan(), (false, JobPlan::Run, String::new()));
    assert_eq!(scene.migration().completed, memory);
}

#[rstest]
#[case::first("", 0, false)]
#[case::first_pause_is_over("", 1, true)]
#[case::second("-1", 1, false)]
#[case::second_pause_is_over("-1", 2, true)]
#[case::fifth("-4", 15, false)]
#[case::fifth_pause_is_over("-4", 16, true)]
#[case::later_pauses_are_not_longer_than_half_an_hour("-40", 30, true)]
#[case::later("-40", 29, false)]
fn a_failed_migration_is_retried_with_growing_pauses(
    #[case] suffix: &str,
    #[case] minutes: i64,
    #[case] is_retried: bool,
) {
    let scene = Scene::new(vec![job(suffix, "Failed", minutes)], None);
    let number: u32 = suffix.trim_start_matches('-').parse().unwrap_or(0);
    let next = if is_retried { format!("-{}", number + 1) } else { suffix.to_owned() };
    assert_eq!(scene.plan(), (false, JobPlan::Run, next));
    assert_eq!(scene.migration().failed, Some(format!("{}{suffix}", first(IMAGE))));
}

#[test]
fn what_failed_is_kept_as_evidence_until_the_next_attempt_has_ended() {
    let jobs = |condition| vec![job("", "Failed", 5), job("-1", condition, 1)];
    let scene = Scene::new(jobs("None"), None);
    assert_eq!(scene.plan(), (false, JobPlan::Run, "-1".to_owned()));
    assert_eq!(scene.migration().failed, Some(first(IMAGE)));
    let scene = Scene::new(jobs("Failed"), None);
    assert_eq!(scene.plan(), (false, JobPlan::Delete(first(IMAGE)), "-1".to_owned()));
    assert_eq!(scene.migration().failed, Some(format!("{}-1", first(IMAGE))));
}

#[test]
fn a_completed_job_is_remembered_and_then_others_are_deleted() {
    let other = first(OTHER_IMAGE);
    let jobs = vec![job("", "Failed", 5), job("-1", "Complete", 1), named(&other, "None", 1)];
    let scene = Scene::new(jobs.clone(), Some(remembered(OTHER_IMAGE, "revision-1", 9)));
    assert_eq!(scene.plan(), (true, JobPlan::None, "-1".to_owned()));
    let completed = scene.migration().completed.unwrap();
    assert_eq!((completed.image.as_str(), completed.revision.as_str()), (IMAGE, "revision-1"));
    assert_eq!(completed.completion_time, Some(Time(ago(1))));
    let mut scene = Scene::new(jobs, Some(completed));
    for obsolete in [first(IMAGE), other] {
        assert_eq!(scene.plan(), (true, JobPlan::Delete(obsolete.clone()), "-1".to_owned()));
        scene.observed.jobs.retain(|job| job.name_any() != obsolete);
    }
    assert_eq!(scene.plan(), (true, JobPlan::None, "-1".to_owned()));
    assert_eq!(scene.migration().failed, None);
}

// Its Job completes a moment after its container. Deleted in this moment, it takes its log with it.
#[rstest]
#[case::none(vec![], false)]
#[case::runs_on(vec![json!({"running": {}})], true)]
#[case::failed(vec![json!({"terminated": {"exitCode": 1}})], true)]
#[case::ended(vec![json!({"terminated": {"exitCode": 0}})], false)]
fn a_job_that_a_sidecar_holds_is_deleted_once_its_migration_is_remembered(
    #[case] sidecars: Vec<Value>,
    #[case] is_deleted: bool,
) {
    let running = job("", "None", 1);
    let scene = Scene::new(vec![running.clone()], None).with_pod(migrated(&running, 2, &sidecars));
    assert_eq!(scene.plan(), (true, JobPlan::None, String::new()));
    let mut scene = Scene { status: TodoStackStatus::default(), ..scene };
    scene.status.migrations = scene.migration().completed;
    let plan = if is_deleted { JobPlan::Delete(first(IMAGE)) } else { JobPlan::None };
    assert_eq!(scene.plan(), (true, plan, String::new()));
}

#[rstest]
#[case::the_schema_is_behind(424, 1, 5, true)]
#[case::the_database_is_away(503, 1, 5, false)]
#[case::the_probe_ran_beside_the_migration(424, 1, 0, false)]
fn an_api_pod_that_needs_a_migration_contradicts_the_memory(
    #[case] code: u16,
    #[case] unready_since: i64,
    #[case] migrated: i64,
    #[case] is_contradicted: bool,
    #[values(true, false)] job_stays: bool,
) {
    let jobs = if job_stays { vec![job("", "Complete", migrated)] } else { vec![] };
    let memory = remembered(IMAGE, "revision-1", migrated);
    let scene = Scene::new(jobs, Some(memory)).with_unready_api(code, unready_since);
    let next = if job_stays && is_contradicted { "-1" } else { "" };
    let plan = if is_contradicted { JobPlan::Run } else { JobPlan::None };
    assert_eq!(scene.plan(), (!is_contradicted, plan, next.to_owned()));
    assert_eq!(scene.migration().is_contradicted, is_contradicted);
}

#[rstest]
#[case::at_once_if_it_had_worked("-3", 5, 6, "-4")]
#[case::after_a_pause_if_it_never_worked("-3", 9, 7, "-3")]
#[case::after_the_pause("-3", 9, 8, "-4")]
fn a_migration_that_does_not_help_is_run_again_with_growing_pauses(
    #[case] suffix: &str,
    #[case] unready_since: i64,
    #[case] completed: i64,
    #[case] next: &str,
) {
    let scene =
        Scene::new(vec![job(suffix, "Complete", completed)], None).with_unready_api(424, unready_since);
    assert_eq!(scene.plan(), (false, JobPlan::Run, next.to_owned()));
}

#[test]
fn pods_of_an_earlier_template_contradict_nothing() {
    let scene = Scene::new(vec![], Some(remembered(IMAGE, "revision-1", 5))).with_unready_api(424, 1);
    let scene = scene.with_pod(api_pod("newest", 1));
    assert_eq!(scene.plan(), (true, JobPlan::None, String::new()));
}

#[test]
fn the_run_that_follows_a_contradiction_ends_it() {
    let jobs = vec![job("", "Complete", 20), job("-1", "None", 0)];
    let memory = remembered(IMAGE, "revision-1", 20);
    let mut scene = Scene::new(jobs, Some(memory)).with_unready_api(424, 2);
    assert_eq!(scene.plan(), (false, JobPlan::Run, "-1".to_owned()));
    scene.observed.jobs[1] = job("-1", "Complete", 0);
    assert!(scene.plan().0);
    assert_eq!(scene.migration().completed.unwrap().completion_time, Some(Time(ago(0))));
}
