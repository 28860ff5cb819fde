//! 100 stacks are edited at once, until all have rolled out and say so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, ListParams, Patch, PatchParams};

use crate::audit::Requests;
use crate::life::Life;
use crate::rollout;
use crate::stacks::{self, Id};
use crate::subject::CONNECTIONS;
use crate::wait;

const MOST: usize = 100;
const LEVEL: &str = "debug";

#[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    let Some(resource) = life.running.resource() else { return Ok(()) };
    let ids: Vec<Id> = life.ids.iter().take(MOST).cloned().collect();
    eprintln!("      {} edits at once", ids.len());
    let (mut audit, mut requests) = (life.audit()?, Requests::default());
    let before = life.running.usage()?;
    let patch = Patch::Merge(life.running.edit(LEVEL));
    let start = Instant::now();
    let edited: BTreeMap<Id, i64> = stream::iter(ids.iter().map(anyhow::Ok))
        .map(async |id| {
            let id = id?;
            let api = stacks::api(&life.world.client, id, &resource);
            let edited = api.patch(&id.name, &PatchParams::default(), &patch).await?;
            anyhow::Ok((id.clone(), edited.metadata.generation.unwrap_or_default()))
        })
        .buffer_unordered(CONNECTIONS)
        .try_collect()
        .await?;
    wait::until("all edits to be rolled out", Duration::from_mins(10), async || {
        let current = edited.iter().filter(|(id, generation)| {
            let progress = life.tracker.progress(id);
            progress.observed >= **generation && progress.is_ready
        });
        let current = current.count();
        if current < edited.len() {
            return Ok(Err(format!("{current} of {} are reported", edited.len())));
        }
        let rolled = rolled_out(life).await?;
        wait::pause(Duration::from_millis(200)).await;
        Ok(if rolled >= edited.len() { Ok(()) } else { Err(format!("{rolled} are rolled out")) })
    })
    .await?;
    let elapsed = start.elapsed();
    life.quiet(&mut audit, &mut requests).await?;
    let after = life.running.usage()?;
    let count = ids.len() as f64;
    let measurement = &mut life.measurement;
    measurement.set("edits_s", elapsed.as_secs_f64());
    measurement.set("edits_writes", requests.writes() as f64 / count);
    measurement.set("edits_reads", requests.reads() as f64 / count);
    measurement.set("edits_cpu_ms", (after.cpu - before.cpu) * 1000.0 / count);
    Ok(())
}

/// How many Deployments run only pods of the edited spec.
async fn rolled_out(life: &Life<'_>) -> anyhow::Result<usize> {
    let api: Api<Deployment> = Api::all(life.world.client.clone());
    // From the API server's cache.
    let parameters = ListParams::default().labels("todostack.dev/stack").match_any();
    Ok(api.list(&parameters).await?.iter().filter(|it| is_rolled_out(it)).count())
}

fn is_rolled_out(deployment: &Deployment) -> bool {
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let containers = template.map(|template| template.containers.iter());
    let mut variables = containers.into_iter().flatten().flat_map(|it| it.env.iter().flatten());
    variables.any(|it| it.value.as_deref() == Some(LEVEL)) && rollout::is_complete(deployment)
}
