//! Creating the migration Job, and deleting those of earlier images and credentials. What a Job contains is
//! decided in `stack/`.

use kube::ResourceExt as _;
use todostack_stack::{
    managed::{Job, Key, Kind, Object},
    resources::migration_job,
};

use super::{Error, Outcome, Writer, ownership, stamped};

impl Writer<'_> {
    /// A Job's template cannot change: the desired Job is created once, when no other one and no pod of
    /// another one runs. The others that have not finished are deleted before.
    pub(super) async fn migration(&self, job: &Object, outcome: &mut Outcome) -> Result<bool, Error> {
        let key = job.key();
        let observed = self.observed;
        let is_found = observed.inventory.contains(&key);
        if is_found && self.is_outdated(job, &key)? {
            self.delete(&key, outcome).await;
            return Ok(false);
        }
        let mut is_alone = observed.leftover.iter().all(|leftover| leftover.kind != Kind::Job)
            && !migration_job::has_pod_of_another(&key.name, &observed.pods);
        for other in observed.inventory.of_kind(Kind::Job).filter(|other| **other != key) {
            // One that the caches lack was just created.
            let is_finished = self.stored(other).is_some_and(migration_job::finished);
            if !is_finished {
                is_alone = false;
                self.delete(other, outcome).await;
            }
        }
        if is_found || !is_alone { Ok(is_found) } else { self.write(job, outcome).await }
    }

    fn stored(&self, key: &Key) -> Option<&Job> {
        self.observed.jobs.iter().map(AsRef::as_ref).find(|job: &&Job| job.name_any() == key.name)
    }

    /// Whether the Job has another template than the desired one, and does not migrate: it has failed, or its
    /// pods have not started, such as pods that are unschedulable. It must be created again for a corrected
    /// spec to reach them.
    fn is_outdated(&self, job: &Object, key: &Key) -> Result<bool, Error> {
        let Some(found) = self.observed.inventory.get(key) else { return Ok(false) };
        let is_idle = self.stored(key).is_some_and(|job| {
            migration_job::failed(job) || migration_job::waits_to_start(job, &self.observed.pods)
        });
        Ok(is_idle && !ownership::has_same_stamp(&stamped(job)?, found))
    }
}
