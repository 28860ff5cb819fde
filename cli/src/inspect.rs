//! From a scope to the reports on its stacks: reads, puts the observed state together, examines. What a
//! report contains is decided in `examine.rs`.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kube::Client;
use todostack_crds::TodoStack;
use todostack_stack::{
    config::Config,
    observed::{Observed, conflicts::Neighbors},
    requirements::Requirements,
    resources::api_deployment,
    stack_ref::StackRef,
};

use crate::{
    error::Error,
    examine,
    forbidden::Forbidden,
    placeholders,
    read::{self, Lists, Scope, named::Reader},
    report::Report,
    settings,
    snapshot::Snapshot,
};

/// Stacks that are read at the same time: enough to hide latency, few enough for API Priority and Fairness.
const CONCURRENCY: usize = 8;

pub(crate) async fn reports(client: &Client, scope: &Scope, now: Timestamp) -> Result<Vec<Report>, Error> {
    let snapshots = snapshots(client, scope).await?;
    snapshots.iter().map(|snapshot| Ok(examine::examine(snapshot, now)?)).collect()
}

pub(crate) async fn snapshots(client: &Client, scope: &Scope) -> Result<Vec<Snapshot>, Error> {
    let mut lists = read::lists(client, scope).await?;
    let config = settings::from_deployments(&lists.operators);
    if config.is_none() && !lists.forbidden.contains(&Forbidden::Operator) {
        lists.forbidden.push(Forbidden::Operator);
    }
    let (lists, config) = (&lists, &config);
    stream::iter(&lists.stacks)
        .map(|stack| snapshot(client, stack, lists, config.clone()))
        .buffered(CONCURRENCY)
        .try_collect()
        .await
}

async fn snapshot(
    client: &Client,
    stack: &TodoStack,
    lists: &Lists,
    config: Option<Config>,
) -> Result<Snapshot, Error> {
    let id = StackRef::try_from(stack)?;
    let requirements = Requirements::from(&stack.spec);
    let mut reader = Reader { client, stack: &id, forbidden: lists.forbidden.clone() };
    let mut observed = Observed::new(&id, &requirements, &lists.listing);
    observed.data_volume = reader.data_volume(stack, &observed).await?;
    observed.autoscaled = reader.is_autoscaled(&requirements, &observed).await?;
    let running = || observed.deployment.as_deref().and_then(api_deployment::released);
    let config = config.unwrap_or_else(|| settings::assumed(running()));
    observed.confined = !config.cluster_access;
    let stacks: Vec<_> = lists.all_stacks.iter().collect();
    let volumes = &lists.listing.managed.volumes;
    observed.add_conflicts(stack, Neighbors { stacks: &stacks, volumes, config: &config });
    observed.referenced = reader.referenced(requirements.references).await?;
    reader.add_missing(&requirements, &mut observed).await?;
    observed.events = reader.events(&observed).await?;
    let forbidden = reader.forbidden;
    placeholders::add(&mut observed, requirements.references, &forbidden);
    Ok(Snapshot { stack: stack.clone(), observed, forbidden, config })
}
