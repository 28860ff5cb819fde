//! From start to stop: waits for the CRD, opens the watches, runs passes until told to end.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use futures::{StreamExt as _, future};
use kube::{
    Client,
    runtime::{
        controller::{self, Controller},
        events::{Recorder, Reporter},
    },
};
use tokio::{net::TcpListener, signal::unix, sync::watch as signal};

use crate::{
    args::{Args, Config},
    backoff::Backoff,
    context::Context,
    crd, http,
    http::{Phase, Progress},
    memory::Memory,
    metrics::Metrics,
    reconcile, watch,
};

/// Changes of one stack within this time are one pass: its children answer an apply by a burst of events.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Runs the operator until SIGTERM or SIGINT; passes that have begun end first.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let client = Client::try_default()
        .await
        .context("no way to a Kubernetes API server: set KUBECONFIG, or run in a pod")?;
    let (metrics, progress, stopped) = (Metrics::default(), Progress::default(), stop_signal()?);
    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let routes = http::routes(metrics.clone(), progress.clone());
    let server = tokio::spawn(
        axum::serve(listener, routes).with_graceful_shutdown(ended(stopped.clone())).into_future(),
    );
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, api_image = %args.api_image, "Started");

    let namespace = (!args.watch_namespace.is_empty()).then_some(args.watch_namespace.as_str());
    tokio::select! {
        found = crd::wait(&client, namespace) => found?,
        () = ended(stopped.clone()) => return Ok(()),
    }
    progress.set(Phase::Listing);
    let (caches, triggers) = watch::open(&client, namespace, &metrics);
    let reporter =
        Reporter { controller: "todostack-operator".to_owned(), instance: Some(args.pod_name.clone()) };
    let (all_listed, listed) = signal::channel(false);
    let shared = Arc::new(Context {
        config: Config::from(&args),
        recorder: Recorder::new(client.clone(), reporter),
        caches: caches.clone(),
        listed,
        memory: Memory::default(),
        backoff: Backoff::default(),
        metrics,
        client,
    });
    let children = caches.clone();
    tokio::spawn(async move {
        if children.ready().await.is_ok() {
            progress.set(Phase::Running);
            tracing::info!("Watching TodoStacks");
            // Nobody listens any more when the process is ending.
            let _ = all_listed.send(true);
        }
    });
    Controller::for_stream(triggers.stacks, caches.stacks)
        .with_config(controller::Config::default().concurrency(args.concurrency).debounce(DEBOUNCE))
        .reconcile_on(triggers.related)
        .graceful_shutdown_on(ended(stopped))
        .run(reconcile::reconcile, reconcile::after_error, shared)
        .for_each(|outcome| {
            if let Err(error @ controller::Error::QueueError(_)) = outcome {
                tracing::warn!(error = %crate::chain::chain(&error), "Watch of TodoStacks was interrupted");
            }
            future::ready(())
        })
        .await;
    server.await.context("the server of probes and metrics ended early")??;
    tracing::info!("Stopped");
    Ok(())
}

/// Turns true at SIGTERM or SIGINT.
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

async fn ended(mut stop: signal::Receiver<bool>) {
    // An error means that the sender is gone, and with it the process's reason to go on.
    let _ = stop.wait_for(|stopped| *stopped).await;
}
