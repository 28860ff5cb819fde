//! The leader of three replicas is killed again and again while stacks are created, edited and deleted. At
//! the end all is as the stacks say, and no two replicas have written in one term.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use self::script::{Change, Script};
use crate::args::Signal;
use crate::stacks;
use crate::subject::{LEASE, Replica, todostacks};
use crate::trial::{Figure, Trial, seconds};
use crate::wait;
use crate::world::OPERATOR_NAMESPACE;
use crate::writers::{self, Term};

mod script;

const REPLICAS: usize = 3;
/// Mean pause between two changes of a user.
const PAUSE: Duration = Duration::from_millis(400);

/// What has been done.
#[derive(Default)]
struct Done {
    signals: Vec<Timestamp>,
    /// Ticks at which no leader lived: the Lease of the last one had not expired.
    leaderless: usize,
}

pub(crate) async fn run(trial: &Trial<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut replicas = Replicas::start(trial).await?;
    let end = Instant::now() + Duration::from_secs(trial.args.seconds);
    let mut script = Script::new(trial.args.seed, trial.stacks);
    let (done, changes) = tokio::try_join!(replicas.disturb(trial, end), change(trial, &mut script, end))?;
    eprintln!(
        "      {} changes, {} signals; waiting until all is as it should be",
        changes,
        done.signals.len()
    );
    let expected = script.existing();
    let converged = trial.converge(&expected).await;
    let writes = trial.writes()?;
    let converged = converged?;
    replicas.ensure_running()?;
    let terms = writers::terms(&writes);
    let gaps = gaps(&done.signals, &terms);
    let objects = writes.iter().filter(|it| it.resource != "leases").count();
    Ok(vec![
        ("changes by users", changes.to_string()),
        ("stacks at the end", expected.len().to_string()),
        ("signals to the leader", done.signals.len().to_string()),
        ("ticks without a leader that lived", done.leaderless.to_string()),
        ("terms", terms.len().to_string()),
        ("writes of objects, all within a term of their process", objects.to_string()),
        (
            "longest time from a signal to the next term",
            gaps.iter().copied().reduce(f64::max).map_or_else(String::new, seconds),
        ),
        ("from the end of the changes until all is as it should be", seconds(converged)),
    ])
}

/// From each signal until the next term begins.
fn gaps(signals: &[Timestamp], terms: &[Term]) -> Vec<f64> {
    let gap = |signal: &Timestamp| {
        let next = terms.iter().map(|term| term.start).filter(|start| start > signal).min()?;
        Some((next - *signal).total(jiff::Unit::Second).unwrap_or_default())
    };
    signals.iter().filter_map(gap).collect()
}

struct Replicas {
    running: Vec<Replica>,
    /// Processes until now.
    number: usize,
    random: StdRng,
}

impl Replicas {
    async fn start(trial: &Trial<'_>) -> anyhow::Result<Self> {
        let random = StdRng::seed_from_u64(trial.args.seed);
        let mut replicas = Self { running: Vec::new(), number: 0, random };
        for index in 0..REPLICAS {
            replicas.add(trial, &format!("replica-{index}"))?;
        }
        for replica in &mut replicas.running {
            replica.ready().await?;
        }
        Ok(replicas)
    }

    fn add(&mut self, trial: &Trial<'_>, pod: &str) -> anyhow::Result<()> {
        let replica = Replica::start(&trial.world, trial.programs, (pod, self.number), &[])?;
        self.number += 1;
        self.running.push(replica);
        Ok(())
    }

    /// At each tick, sends the signal to the leader, and starts another process in its place: in the same
    /// pod, as the kubelet does, or in another one, as a ReplicaSet does.
    async fn disturb(&mut self, trial: &Trial<'_>, end: Instant) -> anyhow::Result<Done> {
        let mut done = Done::default();
        let every = Duration::from_secs(trial.args.every);
        let mut tick = Instant::now() + every;
        while tick < end {
            wait::pause(tick.saturating_duration_since(Instant::now())).await;
            tick += every;
            self.ensure_running()?;
            let holder = holder(trial).await?;
            let Some(index) = self.running.iter().position(|it| Some(&it.pod) == holder.as_ref()) else {
                done.leaderless += 1;
                continue;
            };
            let leader = self.running.swap_remove(index);
            let pod = if self.random.random_bool(0.5) {
                leader.pod.clone()
            } else {
                format!("replica-{}", self.number)
            };
            done.signals.push(Timestamp::now());
            leader.stop(trial.args.signal == Signal::Kill).await?;
            self.add(trial, &pod)?;
        }
        wait::pause(end.saturating_duration_since(Instant::now())).await;
        Ok(done)
    }

    fn ensure_running(&mut self) -> anyhow::Result<()> {
        self.running.iter_mut().try_for_each(Replica::ensure_running)
    }
}

async fn holder(trial: &Trial<'_>) -> anyhow::Result<Option<String>> {
    let leases: Api<Lease> = Api::namespaced(trial.world.client.clone(), OPERATOR_NAMESPACE);
    let lease = leases.get_opt(LEASE).await?;
    Ok(lease.and_then(|lease| lease.spec?.holder_identity))
}

/// Does what the script says until the end. Returns the number of changes.
async fn change(trial: &Trial<'_>, script: &mut Script, end: Instant) -> anyhow::Result<usize> {
    let mut changes = 0;
    while Instant::now() < end {
        let (id, change) = script.next();
        let api: Api<DynamicObject> = stacks::api(&trial.world.client, &id, &todostacks());
        let outcome = match &change {
            Change::Create(stack) => {
                api.create(&PostParams::default(), &serde_json::from_value(stack.clone())?).await.map(drop)
            }
            Change::Edit(patch) => {
                api.patch(&id.name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
            }
            Change::Delete => api.delete(&id.name, &DeleteParams::default()).await.map(drop),
        };
        match outcome {
            Ok(()) => {
                script.accept(&id, &change);
                changes += 1;
            }
            // The one before is still being deleted.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => return Err(error).with_context(|| format!("failed to change {id}")),
        }
        wait::pause(script.pause(PAUSE)).await;
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_lasts_until_the_next_term_begins() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let term = |start| Term { lease: "l".into(), process: "p".into(), start: at(start), end: None };
        assert_eq!(gaps(&[at(5), at(20), at(40)], &[term(1), term(19), term(21)]), [14.0, 1.0]);
    }
}
