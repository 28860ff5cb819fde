//! `todostack-api serve`: both listeners from start to drain.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, anyhow};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::sleep,
};

use crate::{
    auth::Auth,
    chain::chain,
    config::{AuthArgs, ServeArgs, TraceArgs},
    database::{Database, Kind},
    listener,
    otlp::Spans,
    probes,
    routes::api,
    state::{AppState, Settings},
    workers::Workers,
};

/// Idempotency keys live for a day; an hour more or less does not matter.
const FORGET_KEYS_EVERY: Duration = Duration::from_hours(1);

/// A bucket of the rate limit is full again after seconds; until it is forgotten it costs some 100 bytes.
const FORGET_CLIENTS_EVERY: Duration = Duration::from_mins(1);

/// Serves until SIGTERM or SIGINT.
pub async fn run(
    database: Database,
    args: ServeArgs,
    auth: AuthArgs,
    traces: TraceArgs,
) -> anyhow::Result<()> {
    let (listen, operations_listen, drain_delay) = (args.listen, args.operations_listen, args.drain_delay);
    let workers = Workers::start()?;
    let (runtimes, stores): (Vec<_>, Vec<_>) = database.open_on(workers.runtimes()).await.into_iter().unzip();
    let auth = auth.settings()?.map(Auth::new).transpose().context("failed to prepare authentication")?;
    let spans = traces.settings()?.map(Spans::start).transpose();
    let spans = spans.map_err(|why| anyhow!("failed to prepare traces: {why}"))?;
    let states = AppState::for_each(stores, settings(args), auth, spans);
    let state = states.first().context("there is no thread to answer requests")?;
    let api_listener = bind(listen).await?;
    let operations_listener = bind(operations_listen).await?;
    if database.kind() == Kind::Sqlite {
        // The file has no other process that could migrate it.
        state.store.migrate().await.context("failed to prepare the SQLite file")?;
    }
    // Before anyone can know that we are here, so that none of their signals ends us without a drain.
    let stop = StopSignal::listen()?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        listen = %api_listener.local_addr()?,
        operations_listen = %operations_listener.local_addr()?,
        database = %database,
        "Started"
    );

    // Operations end last, so that the platform can watch the drain.
    let (stop_api, api_stopped) = watch::channel(false);
    let (stop_operations, operations_stopped) = watch::channel(false);
    let apps = runtimes.into_iter().zip(states.iter().cloned().map(api)).collect();
    let api_server = tokio::spawn(listener::serve_on(api_listener, apps, until(api_stopped)));
    let operations_server = tokio::spawn(listener::serve(
        operations_listener,
        probes::router(state.clone()),
        until(operations_stopped),
    ));
    let housekeeping =
        [tokio::spawn(forget_keys(state.clone())), tokio::spawn(forget_clients(state.clone()))];

    let signal = stop.received().await;
    state.drain();
    tracing::info!(signal, seconds = drain_delay.as_secs(), "Draining");
    // Load balancers need this long to notice; until then requests still come and are answered.
    sleep(drain_delay).await;
    stop_api.send_replace(true);
    api_server.await.context("failed to stop the API")?;
    housekeeping.iter().for_each(tokio::task::JoinHandle::abort);
    for state in &states {
        state.store.close().await;
    }
    stop_operations.send_replace(true);
    operations_server.await.context("failed to stop the operations listener")?;
    tracing::info!("Stopped");
    Ok(())
}

fn settings(args: ServeArgs) -> Settings {
    let ServeArgs {
        listen: _,
        operations_listen: _,
        drain_delay: _,
        public_url,
        cors_allowed_origins,
        max_concurrent_requests,
        rate_limit,
    } = args;
    Settings {
        public_url,
        // An empty variable is one empty origin to clap.
        cors_allowed_origins: cors_allowed_origins.into_iter().filter(|origin| !origin.is_empty()).collect(),
        rate_limit: rate_limit.limit(),
        trusted_proxy_hops: rate_limit.trusted_proxy_hops,
        max_concurrent_requests,
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("failed to listen on {address}"))
}

async fn until(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the reason to serve.
    drop(stop.wait_for(|stop| *stop).await);
}

struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?,
        })
    }

    async fn received(mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

async fn forget_clients(state: AppState) {
    while let Some(rate) = &state.shared.rate {
        sleep(FORGET_CLIENTS_EVERY).await;
        rate.forget_full();
    }
}

async fn forget_keys(state: AppState) {
    loop {
        sleep(FORGET_KEYS_EVERY).await;
        match state.store.delete_expired_keys().await {
            Ok(count) => tracing::debug!(count, "Forgot expired idempotency keys"),
            Err(error) => tracing::warn!(
                error = chain(&error),
                "Failed to forget expired idempotency keys; trying again in an hour"
            ),
        }
    }
}
