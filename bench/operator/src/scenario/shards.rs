//! Two shards serve the stacks, then one does, then two again, while stacks are edited: none is unserved, and
//! none is served by two at a time.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::{TryStreamExt as _, stream};
use jiff::Timestamp;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;

use crate::stacks::{self, Id};
use crate::subject::{CONNECTIONS, Replica, todostacks};
use crate::trial::{Figure, Trial, seconds, shown};
use crate::writers::{self, Write};

/// One change of the number of shards.
struct Phase {
    shards: usize,
    /// From its first edit that none of the shards before can have served.
    begin: Timestamp,
    /// Stacks that were edited since then.
    edited: Vec<Id>,
    processes: BTreeSet<String>,
    converged: f64,
}

pub(crate) async fn run(trial: &Trial<'_>) -> anyhow::Result<Vec<Figure>> {
    let ids: Vec<Id> = (0..trial.stacks).map(Id::number).collect();
    let mut number = 0;
    let mut operators = start(trial, 2, &mut number).await?;
    let started = Instant::now();
    let begin = Timestamp::now();
    trial.create(&ids).await?;
    let expected: BTreeSet<Id> = ids.iter().cloned().collect();
    let converged = started.elapsed().as_secs_f64();
    let mut phases =
        vec![Phase { shards: 2, begin, edited: ids.clone(), processes: processes(&operators), converged }];
    for (round, shards) in [1, 2].into_iter().enumerate() {
        eprintln!("      {} -> {shards} shards", phases.last().map_or(0, |phase| phase.shards));
        let third = |third: usize| ids.iter().skip(third).step_by(3).cloned().collect::<Vec<Id>>();
        let (before, between, after) = (third(0), third(1), third(2));
        let started = Instant::now();
        edit(trial, &before, round * 3).await?;
        let next = start(trial, shards, &mut number).await?;
        edit(trial, &between, round * 3 + 1).await?;
        stop(operators).await?;
        let begin = Timestamp::now();
        edit(trial, &after, round * 3 + 2).await?;
        operators = next;
        trial.converge(&expected).await?;
        let converged = started.elapsed().as_secs_f64();
        let processes = processes(&operators);
        phases.push(Phase { shards, begin, edited: after, processes, converged });
    }
    report(trial, &phases)
}

fn report(trial: &Trial<'_>, phases: &[Phase]) -> anyhow::Result<Vec<Figure>> {
    let writes = trial.writes()?;
    let mut ends: Vec<Timestamp> = phases.iter().skip(1).map(|phase| phase.begin).collect();
    ends.push(Timestamp::now());
    let mut figures = Vec::new();
    for (phase, end) in phases.iter().zip(ends) {
        let faults = faults(&writes, phase, end);
        anyhow::ensure!(faults.is_empty(), "with {} shards: {}", phase.shards, shown(&faults));
        let served = writers::servers(&writes, phase.begin, end);
        for process in &phase.processes {
            let count = served.values().filter(|servers| servers.contains(process.as_str())).count();
            figures.push(("stacks written by one operator", format!("{process}: {count}")));
        }
        figures.push(("… until all was as it should be", seconds(phase.converged)));
    }
    let objects = writes.iter().filter(|it| it.resource != "leases").count();
    figures.push(("writes of objects, none by two at a time", objects.to_string()));
    let terms = writers::terms(&writes);
    figures.push(("terms", terms.len().to_string()));
    Ok(figures)
}

/// Each edited stack was written by one operator, which is one of the phase's.
fn faults(writes: &[Write], phase: &Phase, end: Timestamp) -> Vec<String> {
    let served = writers::servers(writes, phase.begin, end);
    let mut faults = Vec::new();
    for id in &phase.edited {
        let mut servers = served.get(id).into_iter().flatten();
        match (servers.next(), servers.next()) {
            (None, _) => faults.push(format!("{id} was served by none")),
            (Some(one), None) if phase.processes.contains(*one) => {}
            (Some(one), None) => faults.push(format!("{id} was served by {one} of another phase")),
            (Some(one), Some(two)) => faults.push(format!("{id} was served by {one} and {two}")),
        }
    }
    faults
}

fn processes(operators: &[Replica]) -> BTreeSet<String> {
    operators.iter().map(|it| it.process.clone()).collect()
}

async fn start(trial: &Trial<'_>, shards: usize, number: &mut usize) -> anyhow::Result<Vec<Replica>> {
    // As Helm does it: first the permissions, then the new pods, and those of the old ones stop.
    trial.world.set_shards(shards)?;
    let mut operators = Vec::new();
    for index in 0..shards {
        // Unlike that of any pod before, as in a cluster.
        let pod = format!("shard-{index}-of-{shards}-{number}");
        let flag = [format!("--shard={index}/{shards}")];
        operators.push(Replica::start(&trial.world, trial.programs, (&pod, *number), &flag)?);
        *number += 1;
    }
    for operator in &mut operators {
        operator.ready().await?;
    }
    Ok(operators)
}

async fn stop(operators: Vec<Replica>) -> anyhow::Result<()> {
    for operator in operators {
        operator.stop(false).await?;
    }
    Ok(())
}

/// An edit that is unlike the one before.
async fn edit(trial: &Trial<'_>, ids: &[Id], number: usize) -> anyhow::Result<()> {
    let replicas = 1 + (number + 1) % 3;
    let level = if number.is_multiple_of(2) { "debug" } else { "warn" };
    let patch = Patch::Merge(json!({"spec": {"api": {"replicas": replicas, "logLevel": level}}}));
    stream::iter(ids.iter().map(anyhow::Ok))
        .try_for_each_concurrent(CONNECTIONS, async |id| {
            let api: Api<DynamicObject> = stacks::api(&trial.world.client, id, &todostacks());
            api.patch(&id.name, &PatchParams::default(), &patch).await?;
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(process: &str, name: &str, second: i64) -> Write {
        Write {
            process: process.to_owned(),
            received: Timestamp::from_second(second).unwrap(),
            answered: Timestamp::from_second(second).unwrap(),
            verb: "patch".to_owned(),
            resource: "services".to_owned(),
            namespace: "n".to_owned(),
            name: name.to_owned(),
            code: 200,
        }
    }

    #[test]
    fn a_stack_is_served_by_one_operator_of_the_phase() {
        let id = |name: &str| Id { namespace: "n".to_owned(), name: name.to_owned() };
        let phase = Phase {
            shards: 2,
            begin: Timestamp::from_second(10).unwrap(),
            edited: ["s1", "s2", "s3", "s4"].map(id).to_vec(),
            processes: ["a".to_owned(), "b".to_owned()].into(),
            converged: 0.0,
        };
        let writes = [
            write("a", "s1", 11),
            write("a", "s2", 11),
            write("b", "s2", 12),
            write("old", "s3", 11),
            write("a", "s4", 9),
            write("a", "s4", 21),
        ];
        let faults = faults(&writes, &phase, Timestamp::from_second(20).unwrap());
        let expected = [
            "n/s2 was served by a and b",
            "n/s3 was served by old of another phase",
            "n/s4 was served by none",
        ];
        assert_eq!(faults, expected);
    }
}
