//! A second replica takes over: after SIGTERM, and after SIGKILL.

use std::time::Duration;

use jiff::Timestamp;
use todostack_testbed::bare::child::Child;

use super::create;
use crate::audit::Requests;
use crate::life::Life;
use crate::stacks::{self, Id};
use crate::subject::{create_all, elects_leader, start_replica, todostacks};
use crate::wait;

pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    if !elects_leader(life.programs) {
        eprintln!("      takeover: this operator has no --lease");
        return Ok(());
    }
    eprintln!("      takeover");
    let Some(first) = life.running.process.take() else { return Ok(()) };
    let second = start_replica(&life.world, life.programs, "replica-2").await?;
    let seconds = take_over(life, first, Child::terminate).await?;
    life.measurement.set("takeover_term_s", seconds);
    let third = start_replica(&life.world, life.programs, "replica-3").await?;
    let seconds = take_over(life, second, Child::kill).await?;
    life.measurement.set("takeover_kill_s", seconds);
    life.running.process = Some(third);
    Ok(())
}

/// Seconds from the signal to the leader until the other replica creates the first object of a new stack.
async fn take_over(life: &mut Life<'_>, leader: Child, signal: fn(&Child)) -> anyhow::Result<f64> {
    let mut audit = life.audit()?;
    let mut requests = Requests::default();
    let start = Timestamp::now();
    signal(&leader);
    add(life).await?;
    let created = wait::until("the other replica to take over", Duration::from_mins(1), async || {
        audit.read(&mut requests)?;
        Ok(requests.first_created.ok_or_else(|| format!("{} reads", requests.reads())))
    })
    .await?;
    create::ready(life).await?;
    Ok((created - start).total(jiff::Unit::Second)?)
}

/// Creates one more stack.
async fn add(life: &mut Life<'_>) -> anyhow::Result<()> {
    let id = Id::number(life.ids.len());
    let stacks = vec![(id.clone(), stacks::todostack(&id))];
    create_all(&life.world.client, &todostacks(), stacks, &life.tracker).await?;
    life.ids.push(id);
    Ok(())
}
