//! A third of the stacks is broken: the others become ready all the same, and what the broken ones cost then.

use std::time::{Duration, Instant};

use crate::audit::Requests;
use crate::life::Life;
use crate::stacks::{self, Id};
use crate::subject::{create_all, todostacks};
use crate::wait;

/// How long the broken ones are watched after that.
const WINDOW: Duration = Duration::from_mins(1);

#[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    let numbered: Vec<(usize, Id)> = life.ids.iter().cloned().enumerate().collect();
    let stacks = numbered.iter().map(|(number, id)| (id.clone(), stacks::broken(id, *number)));
    let (broken, well): (Vec<_>, Vec<_>) =
        numbered.iter().cloned().partition(|(number, _)| stacks::is_broken(*number));
    let start = Instant::now();
    let resource = todostacks();
    create_all(&life.world.client, &resource, stacks.collect(), &life.tracker).await?;
    let ids: Vec<Id> = well.into_iter().map(|(_, id)| id).collect();
    let limit = Duration::from_secs(120 + 4 * ids.len() as u64);
    wait::until("the stacks that are well to be ready", limit, async || {
        let count = life.tracker.count(&ids, |it| it.reported.is_some());
        Ok(if count == ids.len() { Ok(()) } else { Err(format!("{count} of {} are ready", ids.len())) })
    })
    .await?;
    let ready = start.elapsed();
    let unwell: Vec<Id> = broken.into_iter().map(|(_, id)| id).collect();
    wait::until("a report about each broken stack", limit, async || {
        let count = life.tracker.count(&unwell, |it| it.observed > 0 && !it.is_ready);
        Ok(if count == unwell.len() { Ok(()) } else { Err(format!("{count} of {}", unwell.len())) })
    })
    .await?;
    let (mut audit, mut requests) = (life.audit()?, Requests::default());
    let before = life.running.usage()?;
    wait::pause(WINDOW).await;
    audit.read(&mut requests)?;
    let after = life.running.usage()?;
    let count = unwell.len() as f64;
    let measurement = &mut life.measurement;
    measurement.set("broken_ready_s", ready.as_secs_f64());
    measurement.set("broken_writes", requests.writes() as f64 / count);
    measurement.set("broken_reads", (requests.reads() + requests.lists()) as f64 / count);
    measurement.set("broken_cpu_ms", (after.cpu - before.cpu) * 1000.0 / count);
    measurement.set("broken_rss_mib", after.resident);
    Ok(())
}
