//! An upgrade of the operator that changes the pods of all stacks, while clients use each of them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::future::{Either, join_all, select, try_join};
use http::Method;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::{ResourceExt, api::ListParams};
use todostack_crds::ConditionType;
use todostack_e2e::{
    cluster::{Cluster, OPERATOR, OPERATOR_NAMESPACE},
    image,
    namespace::{Namespace, with_namespace_alone},
    stack::condition,
};
use tokio::time::{MissedTickBehavior, interval, timeout};

const STACKS: usize = 6;
const POSTGRES: &str = "localhost/upgraded/postgres";
const API: &str = "localhost/upgraded/api:1";
// Together, the clients of a stack send 100 requests a second.
const CLIENTS: usize = 5;
const REQUEST_EVERY: Duration = Duration::from_millis(50);
const SAMPLE_EVERY: Duration = Duration::from_millis(200);
const UPGRADED_WITHIN: Duration = Duration::from_mins(10);
// From the readiness of a database and of all API pods to a response of each of them.
const RECOVERED_WITHIN: Duration = Duration::from_secs(8);

#[test]
fn an_upgrade_restarts_one_database_at_a_time_and_every_other_stack_answers() -> Result<()> {
    with_namespace_alone("upgrades", async |namespace| {
        let cluster = &namespace.cluster;
        let names: Vec<_> = (0..STACKS).map(|index| format!("shop-{index}")).collect();
        for name in &names {
            namespace.apply(name, "{}").await?;
        }
        for name in &names {
            namespace.until_ready(name).await?;
        }
        let repository = cluster.operator_variable("TODOSTACK_POSTGRES_REPOSITORY").await?;
        image::tag(&format!("{repository}:18"), &format!("{POSTGRES}:18")).await?;
        image::tag(&cluster.api_image().await?, API).await?;

        let upgraded = upgrade(cluster, namespace, &names).await;
        // Whatever came of it: the cluster is left as it was.
        let rollback = ["rollback", OPERATOR, "--namespace", OPERATOR_NAMESPACE, "--wait"];
        cluster.helm(&rollback).await?;
        upgraded
    })
}

async fn upgrade(cluster: &Cluster, namespace: &Namespace, names: &[String]) -> Result<()> {
    let (postgres, api) = (format!("--set=postgres.repository={POSTGRES}"), format!("--set=apiImage={API}"));
    let chart = "charts/todostack-operator";
    let upgrade = ["upgrade", OPERATOR, chart, "--namespace", OPERATOR_NAMESPACE, "--reuse-values", "--wait"];
    let upgrade = [&upgrade[..], &[postgres.as_str(), api.as_str()][..]].concat();
    let (failures, samples) = (RefCell::new(Vec::new()), RefCell::new(Samples::default()));
    let clients = names.iter().flat_map(|name| (0..CLIENTS).map(move |_| name));
    let clients = join_all(clients.map(|name| request(namespace, name, &failures)));
    // Until all stacks have followed, which they do while the old operator stops already.
    let follow = async {
        try_join(cluster.helm(&upgrade), sample_until_upgraded(namespace, &samples)).await.map(drop)
    };
    let finished = timeout(UPGRADED_WITHIN, follow);
    // The losing future is dropped with what it borrows before the results are read.
    let outcome = match select(Box::pin(clients), Box::pin(finished)).await {
        Either::Left(_) => None,
        Either::Right((finished, _)) => Some(finished),
    };
    let finished = outcome.context("the clients ended")?;
    finished.with_context(|| format!("not upgraded within {UPGRADED_WITHIN:?}"))??;
    let samples = samples.into_inner();
    ensure!(samples.most == 1, "{} databases were down at once", samples.most);
    ensure!(samples.down.len() == STACKS, "restarted: {:?}", samples.down.keys());
    let unexplained: Vec<_> =
        failures.into_inner().iter().filter_map(|failure| failure.unexplained(&samples)).collect();
    ensure!(unexplained.is_empty(), "answers of stacks whose database was not restarted: {unexplained:#?}");
    for name in names {
        namespace.until_ready(name).await?;
    }
    Ok(())
}

// Sends requests without an end, and records each that was not answered well.
async fn request(namespace: &Namespace, stack: &str, failures: &RefCell<Vec<Failure>>) {
    let todos = namespace.todos(stack);
    let mut ticks = interval(REQUEST_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let text = match todos.call(Method::GET, "/todos", None).await {
            Ok((status, _)) if status.is_success() => continue,
            Ok((status, body)) => format!("{status}: {body}"),
            Err(error) => format!("{error:#}"),
        };
        failures.borrow_mut().push(Failure { stack: stack.to_owned(), at: Instant::now(), text });
    }
}

// A request that was not answered well.
struct Failure {
    stack: String,
    at: Instant,
    text: String,
}

impl Failure {
    // How it lies to the restart of the stack's database, unless that explains it.
    fn unexplained(&self, samples: &Samples) -> Option<String> {
        let Self { stack, at, text } = self;
        let Some(Down { first, last, .. }) = samples.down.get(stack) else {
            return Some(format!("{stack}, which was not down: {text}"));
        };
        let (before, after) = (first.duration_since(*at), at.duration_since(*last));
        let is_explained = before.is_zero() && after <= RECOVERED_WITHIN;
        (!is_explained).then(|| format!("{stack}, {before:?} before or {after:?} after it was down: {text}"))
    }
}

// From the last sample in which the database of a stack was ready to the first in which it is ready with its
// new template, and so are the API pods that lost it.
struct Down {
    first: Instant,
    last: Instant,
    is_over: bool,
}

#[derive(Default)]
struct Samples {
    most: usize,
    previous: Option<Instant>,
    down: BTreeMap<String, Down>,
}

impl Samples {
    // `at` is when the sets and the Deployments were read, or before.
    fn add(&mut self, at: Instant, sets: &[StatefulSet], deployments: &[Deployment]) {
        let down: Vec<_> = sets.iter().filter(|set| is_down(set)).map(ResourceExt::name_any).collect();
        self.most = self.most.max(down.len());
        let first = self.previous.replace(at).unwrap_or(at);
        for set in &down {
            let stack = set.trim_end_matches("-db").to_owned();
            self.down.entry(stack).or_insert(Down { first, last: at, is_over: false }).is_over = false;
        }
        for (stack, window) in self.down.iter_mut().filter(|(_, window)| !window.is_over) {
            let api = deployments.iter().find(|it| it.name_any() == format!("{stack}-api"));
            window.last = at;
            window.is_over = !down.contains(&format!("{stack}-db")) && !api.is_some_and(is_short);
        }
    }
}

async fn sample_until_upgraded(namespace: &Namespace, samples: &RefCell<Samples>) -> Result<()> {
    let mut ticks = interval(SAMPLE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let at = Instant::now();
        let sets = namespace.api::<StatefulSet>().list(&ListParams::default()).await?.items;
        let deployments = namespace.api::<Deployment>().list(&ListParams::default()).await?.items;
        samples.borrow_mut().add(at, &sets, &deployments);
        let stacks = namespace.stacks().list(&ListParams::default()).await?.items;
        let is_settled = stacks
            .iter()
            .all(|stack| condition(stack, ConditionType::Reconciling).is_some_and(|it| it.status == "False"));
        let images = || {
            let sets = sets.iter().filter_map(|set| set.spec.as_ref()?.template.spec.as_ref());
            let deployments = deployments.iter().filter_map(|it| it.spec.as_ref()?.template.spec.as_ref());
            sets.chain(deployments).flat_map(|pod| pod.containers.iter().filter_map(|it| it.image.as_deref()))
        };
        if is_settled && images().all(|image| image.starts_with("localhost/upgraded/")) {
            return Ok(());
        }
    }
}

fn is_down(set: &StatefulSet) -> bool {
    let Some(status) = &set.status else { return true };
    status.observed_generation < set.metadata.generation
        || status.current_revision != status.update_revision
        || status.ready_replicas.unwrap_or_default() == 0
}

// Has fewer ready pods than replicas, old and new ones together.
fn is_short(deployment: &Deployment) -> bool {
    let replicas = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas);
    ready.unwrap_or_default() < replicas
}
