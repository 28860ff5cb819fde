//! The operator is replaced by one that gives all stacks other images of database and API: never more of
//! them restart at once than its flags allow, and all do in the end.

mod rollouts;

use std::time::Duration;

use kube::Api;
use tokio::task::JoinSet;

use self::rollouts::Rollouts;
use crate::stacks::Id;
use crate::subject::Replica;
use crate::trial::{Figure, Trial, seconds};
use crate::wait;

const POSTGRES: &str = "registry.example.com/upgraded/postgres";
const API: &str = "registry.example.com/upgraded/api:1";
/// The operator's defaults.
const DATABASES_AT_ONCE: usize = 1;
const APIS_AT_ONCE: usize = 5;

pub(crate) async fn run(trial: &Trial<'_>) -> anyhow::Result<Vec<Figure>> {
    let client = &trial.world.client;
    let ids: Vec<Id> = (0..trial.stacks).map(Id::number).collect();
    let before = start(trial, 0, &[]).await?;
    trial.create(&ids).await?;
    let (mut watches, rollouts) = (JoinSet::new(), Rollouts::default());
    watches.spawn(rollouts.clone().follow(Api::all(client.clone()), Rollouts::database));
    watches.spawn(rollouts.clone().follow(Api::all(client.clone()), Rollouts::api));
    watches.spawn(rollouts.clone().follow(Api::all(client.clone()), Rollouts::stack));
    before.stop(false).await?;
    let started = std::time::Instant::now();
    let images = [format!("--api-image={API}"), format!("--postgres-repository={POSTGRES}")];
    let _after = start(trial, 1, &images).await?;
    let limit = Duration::from_secs(60 + 20 * trial.stacks as u64);
    wait::until("all stacks to be upgraded", limit, async || {
        wait::pause(Duration::from_millis(200)).await;
        let upgraded = rollouts.upgraded(POSTGRES, API);
        Ok(if upgraded == ids.len() { Ok(()) } else { Err(format!("{upgraded} are upgraded")) })
    })
    .await?;
    let seen = rollouts.seen();
    let (databases, apis) = (seen.most_databases, seen.most_apis);
    anyhow::ensure!(databases <= DATABASES_AT_ONCE, "{databases} databases restarted at once");
    anyhow::ensure!(apis <= APIS_AT_ONCE, "{apis} APIs were rolled out at once");
    anyhow::ensure!(seen.short.is_empty(), "had too few pods of the API: {:?}", seen.short);
    anyhow::ensure!(!seen.pending.is_empty(), "no stack has reported UpgradePending");
    trial.writes()?;
    Ok(vec![
        ("databases that restarted at once, at most", databases.to_string()),
        ("APIs that were rolled out at once, at most", apis.to_string()),
        ("APIs with fewer pods than their stack has replicas", "0".to_owned()),
        ("stacks that were Ready and reported UpgradePending", seen.pending.len().to_string()),
        ("until all were upgraded and Ready", seconds(started.elapsed().as_secs_f64())),
    ])
}

async fn start(trial: &Trial<'_>, number: usize, flags: &[String]) -> anyhow::Result<Replica> {
    let mut operator = Replica::start(&trial.world, trial.programs, ("operator", number), flags)?;
    operator.ready().await?;
    Ok(operator)
}
