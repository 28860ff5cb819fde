//! Whether the desired image and credentials are migrated, and which Job runs next. The memory is the status:
//! a Job that a user deletes changes nothing. What a Job holds is in `resources/migration_job.rs`.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::Time};
use kube::ResourceExt as _;
use todostack_crds::{ConditionType, TodoStack, status::MigrationStatus};

use super::{Inputs, false_since};
use crate::{
    credentials::Credentials,
    names,
    observed::probe_failures,
    resources::migration_job::{self, Attempt, Outcome},
    stack::{JobPlan, Migration},
};

mod trial;

/// Time from the end of a migration to the probe that should have succeeded.
const SETTLED: SignedDuration = SignedDuration::from_secs(10);
/// The pause before the second attempt. It doubles up to the longest.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// Ends the revision while an earlier username can log in too. Both migrate, and both are accepted.
const BESIDE: &str = "-beside";

/// The migration of `image` with `credentials`. Without, the database is a file, on whose copy it is tried.
pub(super) fn migration(
    image: &str,
    credentials: Option<&Credentials>,
    todostack: &TodoStack,
    inputs: Inputs<'_>,
) -> Migration {
    let remembered = todostack.status.as_ref().and_then(|status| status.migrations.as_ref());
    let Some(credentials) = credentials else { return trial::trial(image, todostack, inputs) };
    let Some(login) = credentials.app.as_ref() else {
        return Migration { completed: remembered.cloned(), ..Migration::default() };
    };
    let beside = format!("{}{BESIDE}", login.revision);
    let is_beside = credentials.change.replaces().is_some();
    let (wanted, other) = if is_beside { (&beside, &login.revision) } else { (&login.revision, &beside) };
    let stack = todostack.name_any();
    let (first, first_other) =
        (names::migration(&stack, image, wanted), names::migration(&stack, image, other));
    let run = |revision, first| Run::new(RunKey { image, revision, first }, remembered, inputs);
    let (run, other) = (run(wanted, &first), run(other, &first_other));
    let done = run.completed.max(other.completed);
    let reported = probe_failures::migration_needed(inputs.observed);
    let is_contradicted = done.zip(reported).is_some_and(|(done, reported)| reported > done + SETTLED);
    let unavailable = false_since(todostack).into_iter().find(|(it, _)| *it == ConditionType::ApiAvailable);
    let completed = if run.completed.is_some() { run.completion(inputs) } else { other.completion(inputs) };
    let course = Course {
        is_run: run.completed.is_some() && !is_contradicted,
        available_until: unavailable.map(|(_, since)| since),
        now: inputs.now,
        run: &run,
    };
    Migration {
        is_done: done.is_some() && !is_contradicted,
        is_contradicted,
        job: Some(course.job()),
        plan: course.plan(inputs),
        failed: run.failed().filter(|_| !course.is_run),
        completed: completed.or_else(|| remembered.cloned()),
    }
}

/// The revision of the credentials that a remembered migration was for.
pub(super) fn revision(migration: &MigrationStatus) -> &str {
    migration.revision.strip_suffix(BESIDE).unwrap_or(&migration.revision)
}

/// What distinguishes a migration from others.
#[derive(Clone, Copy)]
struct RunKey<'a> {
    image: &'a str,
    revision: &'a str,
    /// The name of its first Job.
    first: &'a str,
}

/// What is known of one migration.
struct Run<'a> {
    key: RunKey<'a>,
    attempts: Vec<Attempt<'a>>,
    /// When the status remembers that it completed.
    remembered: Option<Timestamp>,
    /// When it completed, by the status or by a Job.
    completed: Option<Timestamp>,
}

impl<'a> Run<'a> {
    fn new(key: RunKey<'a>, remembered: Option<&MigrationStatus>, inputs: Inputs<'a>) -> Self {
        let RunKey { image, revision, first } = key;
        let attempts = Attempt::all(&inputs.observed.jobs, &inputs.observed.pods, first);
        let remembered = remembered.filter(|it| it.image == image && it.revision == revision);
        let remembered =
            remembered.map(|it| it.completion_time.as_ref().map_or(Timestamp::MIN, |time| time.0));
        let by_jobs = attempts.iter().filter_map(|attempt| match attempt.outcome {
            Outcome::Migrated(at) => Some(at),
            Outcome::Failed(_) | Outcome::Running => None,
        });
        let completed = by_jobs.max().max(remembered);
        Self { key, attempts, remembered, completed }
    }

    fn failed(&self) -> Option<String> {
        let unsuccessful =
            self.attempts.iter().rev().take_while(|it| !matches!(it.outcome, Outcome::Migrated(_)));
        let mut failed = unsuccessful.filter(|it| matches!(it.outcome, Outcome::Failed(_)));
        failed.next().map(|attempt| attempt.job.name_any())
    }

    /// The completion that the status does not remember yet.
    fn completion(&self, inputs: Inputs<'_>) -> Option<MigrationStatus> {
        let completed = self.completed.filter(|at| self.remembered.is_none_or(|known| *at > known))?;
        let mut attempts = self.attempts.iter().rev();
        let attempt = attempts.find(|attempt| attempt.outcome == Outcome::Migrated(completed))?;
        Some(MigrationStatus {
            image: self.key.image.to_owned(),
            revision: self.key.revision.to_owned(),
            completion_time: (completed > Timestamp::MIN).then_some(Time(completed)),
            schema_version: migration_job::schema_version(attempt.job, &inputs.observed.pods),
        })
    }
}

/// What happens next to the migration that is wanted.
struct Course<'a> {
    run: &'a Run<'a>,
    /// Whether it is complete, and nothing contradicts it.
    is_run: bool,
    /// When API pods stopped being available, if they are not.
    available_until: Option<Timestamp>,
    now: Timestamp,
}

impl Course<'_> {
    fn job(&self) -> String {
        let Some(latest) = self.run.attempts.last() else { return self.run.key.first.to_owned() };
        if self.is_run || self.due(latest).is_none_or(|due| self.now < due) {
            latest.job.name_any()
        } else {
            latest.next_name()
        }
    }

    /// When another attempt follows. None while one runs.
    fn due(&self, latest: &Attempt<'_>) -> Option<Timestamp> {
        match latest.outcome {
            Outcome::Running => None,
            // It worked, and the database has changed since.
            Outcome::Migrated(at) if self.available_until.is_some_and(|until| until > at) => Some(at),
            Outcome::Migrated(at) | Outcome::Failed(at) => Some(at + pause(latest.number())),
        }
    }

    fn plan(&self, inputs: Inputs<'_>) -> JobPlan {
        let jobs = inputs.observed.jobs.iter().filter(|job| job.metadata.deletion_timestamp.is_none());
        let latest = self.run.attempts.last();
        let is_latest =
            |job: &Job| latest.is_some_and(|latest| latest.job.metadata.name == job.metadata.name);
        let ended = || latest.is_none_or(|latest| migration_job::finished(latest.job));
        let mut obsolete = jobs.filter(|job| match (self.is_run, is_latest(job)) {
            // Nothing is deleted before the status remembers it.
            (true, _) if self.run.remembered.is_none() => false,
            (true, true) => {
                !migration_job::finished(job) && migration_job::is_held_by_sidecar(job, &inputs.observed.pods)
            }
            (true, false) => true,
            (false, is_latest) => !is_latest && latest.is_some() && ended() && migration_job::finished(job),
        });
        match obsolete.next() {
            Some(job) => JobPlan::Delete(job.name_any()),
            None if self.is_run => JobPlan::None,
            None => JobPlan::Run,
        }
    }
}

/// The pause after an attempt that so many came before.
fn pause(number: u32) -> SignedDuration {
    let factor = 2_i32.checked_pow(number).unwrap_or(i32::MAX);
    FIRST_PAUSE.checked_mul(factor).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
