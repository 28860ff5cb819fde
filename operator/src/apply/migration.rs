//! Creating the migration Job, and deleting those of earlier images and credentials. What a Job contains is
//! decided in `stack/`.

use kube::ResourceExt as _;
use todostack_stack::{
    managed::{Job, Key, Kind, Object},
    resources::migration_job,
};

use super::{Error, Writer, ownership, stamped};

impl Writer<'_> {
    /// A Job's template cannot change: the desired Job is created once, when no other one and no pod of
    /// another one runs. Those of earlier images are deleted when it is complete.
    pub(super) async fn migration(&mut self, job: &Object) -> Result<bool, Error> {
        let key = job.key();
        let observed = self.observed;
        let is_found = observed.inventory.contains(&key);
        if is_found && self.is_outdated(job, &key)? {
            self.delete(key).await;
            return Ok(false);
        }
        let is_complete = self.has_ended(&key, migration_job::complete);
        let mut is_alone = observed.leftover.iter().all(|leftover| leftover.kind != Kind::Job)
            && !migration_job::has_pod_of_another(&key.name, &observed.pods);
        for earlier in observed.inventory.of_kind(Kind::Job).filter(|earlier| **earlier != key) {
            let is_finished = self.has_ended(earlier, migration_job::finished);
            is_alone &= is_finished;
            if is_complete || !is_found && !is_finished {
                self.delete(earlier.clone()).await;
            }
        }
        if is_found || !is_alone { Ok(is_found) } else { self.write(job).await }
    }

    /// Whether a Job has ended in this way. One that the caches lack was just created.
    fn has_ended(&self, key: &Key, way: fn(&Job) -> bool) -> bool {
        self.observed.jobs.iter().any(|job| job.name_any() == key.name && way(job))
    }

    /// Whether the Job has another template than the desired one, and its pods have not started, such as pods
    /// that are unschedulable: the Job must be created again for a corrected spec to reach them.
    fn is_outdated(&self, job: &Object, key: &Key) -> Result<bool, Error> {
        let Some(found) = self.observed.inventory.get(key) else { return Ok(false) };
        let mut jobs = self.observed.jobs.iter();
        let waits = jobs
            .any(|job| job.name_any() == key.name && migration_job::waits_to_start(job, &self.observed.pods));
        Ok(waits && !ownership::has_same_stamp(&stamped(job)?, found))
    }
}
