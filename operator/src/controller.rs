//! The operator from start to stop: waits for the CRD, opens the watches, reconciles until a signal.

use std::sync::Arc;

use anyhow::Context as _;
use futures::{StreamExt as _, future};
use kube::runtime::{
    controller::{self, Controller},
    events::{Recorder, Reporter},
};
use todostack_stack::error_chain::one_line;
use tokio::{net::TcpListener, signal::unix, sync::watch as signal};

use crate::{
    args::Args,
    backoff::Backoff,
    clients::Clients,
    coalesce::coalesce,
    context::Context,
    crd,
    metrics::Metrics,
    observe::{feeds, recent_writes::RecentWrites},
    probes::{self, Phase, Progress},
    reconcile,
};

/// Runs the operator until SIGTERM or SIGINT; running reconciles finish first.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let Clients { requests: client, watches } = Clients::new()
        .await
        .context("failed to find a Kubernetes API server: set KUBECONFIG, or run in a pod")?;
    let (metrics, progress, stopped) = (Metrics::default(), Progress::default(), stop_signal()?);
    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let routes = probes::routes(metrics.clone(), progress.clone());
    let server = tokio::spawn(
        axum::serve(listener, routes).with_graceful_shutdown(stopped_by(stopped.clone())).into_future(),
    );
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, api_image = %args.api_image, "Started");

    let namespace = (!args.watch_namespace.is_empty()).then_some(args.watch_namespace.as_str());
    tokio::select! {
        found = crd::wait(&client, namespace) => found?,
        () = stopped_by(stopped.clone()) => return Ok(()),
    }
    progress.set(Phase::Listing);
    let (caches, triggers) = feeds::open(&watches, namespace, &metrics);
    let reporter =
        Reporter { controller: "todostack-operator".to_owned(), instance: Some(args.pod_name.clone()) };
    let (all_listed, listed) = signal::channel(false);
    let shared = Arc::new(Context {
        config: args.config(),
        recorder: Recorder::new(client.clone(), reporter),
        caches: caches.clone(),
        listed,
        recent_writes: RecentWrites::default(),
        backoff: Backoff::default(),
        metrics,
        client,
    });
    let filling = caches.clone();
    tokio::spawn(async move {
        if filling.ready().await.is_ok() {
            progress.set(Phase::Running);
            tracing::info!("Watching TodoStacks");
            // The receiver is dropped only when the process ends.
            let _ = all_listed.send(true);
        }
    });
    Controller::for_stream(triggers.stacks, caches.stacks)
        .with_config(controller::Config::default().concurrency(args.concurrency))
        .reconcile_on(coalesce(triggers.related))
        .graceful_shutdown_on(stopped_by(stopped))
        .run(reconcile::reconcile, reconcile::requeue_after_error, shared)
        .for_each(|outcome| {
            if let Err(error @ controller::Error::QueueError(_)) = outcome {
                tracing::warn!(error = %one_line(&error), "Watch of TodoStacks failed; retrying");
            }
            future::ready(())
        })
        .await;
    server.await.context("the server of probes and metrics failed")??;
    tracing::info!("Stopped");
    Ok(())
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
