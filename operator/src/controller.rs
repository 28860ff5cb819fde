//! The operator from start to stop: waits for the CRD, opens the watches, stands by until it is elected,
//! reconciles until a signal.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use futures::{Stream, StreamExt as _, future, stream};
use kube::{
    Client,
    runtime::{
        controller::{self, Controller},
        events::{Recorder, Reporter},
        reflector::{ObjectRef, Store},
    },
};
use todostack_stack::error_chain::one_line;
use tokio::{net::TcpListener, signal::unix, sync::watch as signal, time::sleep};

use crate::{
    args::Args,
    backoff::Backoff,
    clients::Clients,
    coalesce::coalesce,
    context::Context,
    corrections::Corrections,
    crd,
    hearing::Hearing,
    installation::Installation,
    lane::Lane,
    leader::{self, Elector, fence::Fence},
    metrics::Metrics,
    observe::{
        caches::{Caches, Guarded},
        data_volumes::DataVolumes,
        feeds::{self, Triggers},
        recent_writes::RecentWrites,
        unlisted::Unlisted,
    },
    probes::{self, Phase, Probed, Progress},
    reconcile,
    requeue::Published,
    running::Running,
    upgrades::Upgrades,
};

/// How long running reconciles may take to finish after a signal. The kubelet kills a pod after 30 s; before
/// that, a renewal that is under way ends, and the Lease is released.
const DRAIN: Duration = Duration::from_secs(15);

/// Runs the operator until SIGTERM or SIGINT; running reconciles finish first.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let fence = if args.lease.is_some() { Fence::closed() } else { Fence::open() };
    let hearing = Hearing::default();
    let Clients { requests: client, watches, lease } = Clients::new(&fence, &hearing)
        .await
        .context("failed to find a Kubernetes API server: set KUBECONFIG, or run in a pod")?;
    let (metrics, progress, stopped) = (Metrics::default(), Progress::default(), stop_signal()?);
    let elector = elector(&args, lease, &fence, &metrics)?;
    let running = Running::default();
    let listener = todostack_listen::bind(args.listen).and_then(TcpListener::from_std);
    let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
    let probed =
        Probed { progress: progress.clone(), hearing, running: running.clone(), fence: fence.clone() };
    let routes = probes::routes(metrics.clone(), probed);
    let server = tokio::spawn(
        axum::serve(listener, routes).with_graceful_shutdown(stopped_by(stopped.clone())).into_future(),
    );
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, api_image = %args.api_image, "Started");

    let scope = args.scope()?;
    tokio::select! {
        found = crd::wait(&client, scope.first()) => found?,
        () = stopped_by(stopped.clone()) => return Ok(()),
    }
    progress.set(Phase::Listing);
    let (caches, triggers) = feeds::open(&watches, &scope, &metrics);
    let (all_listed, listed) = signal::channel(false);
    let shared = Arc::new(Context {
        config: args.config(),
        shard: scope.shard,
        upgrades: Upgrades::new(&args.config(), args.limits()),
        recorder: recorder(&client, &args.pod_name),
        caches: caches.clone(),
        listed: listed.clone(),
        recent_writes: RecentWrites::default(),
        unlisted: Unlisted::default(),
        data_volumes: DataVolumes::default(),
        backoff: Backoff::default(),
        lane: Lane::new(args.concurrency),
        corrections: Corrections::default(),
        published: Published::default(),
        installation: args.own_lease().map(Installation::new).unwrap_or_default(),
        fence,
        running,
        metrics,
        client,
    });
    tokio::spawn(report_listed(caches, progress, all_listed));
    let (finished, is_finished) = signal::channel(false);
    let election = tokio::spawn(campaign(elector, listed, is_finished));
    reconcile_until(stopped, args.concurrency, triggers, shared).await;
    // Only now: the next leader must not write beside reconciles that still run.
    let _ = finished.send(true);
    election.await.context("the election failed")?;
    server.await.context("the server of probes and metrics failed")??;
    tracing::info!("Stopped");
    Ok(())
}

async fn report_listed(caches: Caches, progress: Progress, all_listed: signal::Sender<bool>) {
    if caches.ready().await.is_ok() {
        progress.set(Phase::Running);
        tracing::info!("Watching TodoStacks");
        // The receiver is dropped only when the process ends.
        let _ = all_listed.send(true);
    }
}

fn recorder(client: &Client, pod: &str) -> Recorder {
    let reporter = Reporter { controller: "todostack-operator".to_owned(), instance: Some(pod.to_owned()) };
    Recorder::new(client.clone(), reporter)
}

fn elector(args: &Args, client: Client, fence: &Fence, metrics: &Metrics) -> anyhow::Result<Option<Elector>> {
    let timings = args.timings()?;
    metrics.leading(args.lease.is_none());
    Ok(args.lease.clone().map(|lease| {
        let settings =
            leader::Settings { lease, shard: args.shard, identity: args.pod_name.clone(), timings };
        Elector::new(client, settings, fence.clone(), metrics.clone())
    }))
}

/// Takes part in the election once the caches are filled: who leads can reconcile at once.
async fn campaign(
    elector: Option<Elector>,
    mut listed: signal::Receiver<bool>,
    finished: signal::Receiver<bool>,
) {
    let Some(elector) = elector else { return };
    tokio::select! {
        is_listed = listed.wait_for(|listed| *listed) => if is_listed.is_err() { return },
        () = stopped_by(finished.clone()) => return,
    }
    elector.run(finished).await;
}

/// Reconciles until the signal, and until what runs then has finished. While another replica leads, the
/// watches fill the caches and each reconcile ends at once.
async fn reconcile_until(
    stopped: signal::Receiver<bool>,
    concurrency: u16,
    triggers: Triggers,
    shared: Arc<Context>,
) {
    let stacks = shared.caches.stacks.clone();
    let (taken_over, turns) = (taken_over(&shared.fence, stacks.clone()), shared.upgrades.turns());
    let controller = Controller::for_stream(triggers.stacks, stacks)
        .with_config(controller::Config::default().concurrency(concurrency))
        .reconcile_on(coalesce(triggers.related))
        .reconcile_on(taken_over)
        .reconcile_on(turns)
        .graceful_shutdown_on(stopped_by(stopped.clone()))
        .run(reconcile::reconcile, reconcile::requeue_after_error, shared)
        .for_each(|outcome| {
            if let Err(error @ controller::Error::QueueError(_)) = outcome {
                tracing::warn!(error = %one_line(&error), "Watch of TodoStacks failed; retrying");
            }
            future::ready(())
        });
    tokio::select! {
        () = controller => {}
        () = async {
            stopped_by(stopped).await;
            sleep(DRAIN).await;
        } => tracing::warn!(after = ?DRAIN, "Reconciles that still run are ended"),
    }
}

/// Every stack, whenever this replica starts to lead: what changed before was not reconciled here.
fn taken_over(
    fence: &Fence,
    stacks: Store<Guarded>,
) -> impl Stream<Item = ObjectRef<Guarded>> + Send + use<> {
    fence
        .gains()
        .flat_map(move |()| stream::iter(stacks.state()).map(|stack| ObjectRef::from_obj(stack.as_ref())))
}

/// Becomes true at SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<signal::Receiver<bool>> {
    let (sender, receiver) = signal::channel(false);
    let mut terminate = unix::signal(unix::SignalKind::terminate()).context("cannot listen to SIGTERM")?;
    let mut interrupt = unix::signal(unix::SignalKind::interrupt()).context("cannot listen to SIGINT")?;
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("Stopping");
        let _ = sender.send(true);
    });
    Ok(receiver)
}

async fn stopped_by(mut stop: signal::Receiver<bool>) {
    // An error means that the sender was dropped: the process ends.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests;
