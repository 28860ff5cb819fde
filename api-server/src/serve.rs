//! `todostack-api serve`: starts both listeners, and drains them on SIGTERM. How one listener works is in
//! `listener`.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, anyhow};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};

use crate::{
    auth::Auth,
    chain::chain,
    config::{AuthArgs, ServeArgs, TraceArgs, given},
    database::Database,
    listener,
    middleware::AllowedOrigin,
    otlp::Spans,
    probes,
    routes::api,
    state::{AppState, Settings},
    welcome::Welcome,
    workers::Workers,
};

/// Idempotency keys expire after a day; an hour more does no harm.
const DELETE_KEYS_EVERY: Duration = Duration::from_hours(1);

/// At thousands of writes per second, the log grows by tens of thousands of rows in this time.
const DELETE_CHANGES_EVERY: Duration = Duration::from_secs(10);

/// A bucket of the rate limit is full again after seconds; until it is evicted it takes some 100 bytes.
const EVICT_CLIENTS_EVERY: Duration = Duration::from_mins(1);

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
    let settings = settings(args, &auth)?;
    let auth = auth.settings()?.map(Auth::new).transpose().context("failed to set up authentication")?;
    let spans = traces.settings()?.map(Spans::start).transpose();
    let spans = spans.map_err(|why| anyhow!("failed to set up traces: {why}"))?;
    let states = AppState::for_each(stores, settings, auth, spans);
    let state = states.first().context("no worker thread was started")?;
    // A port that is in use fails before anything is migrated.
    let api_listener = bind(listen, "--listen")?;
    let probes_listener = bind(operations_listen, "--operations-listen")?;
    if database.is_sqlite() {
        // No other process could migrate the file.
        let migrated = state.store.migrate().await;
        migrated.map_err(|error| database.explain(error)).context("failed to migrate the SQLite file")?;
    }
    // Before readiness is announced, so that an early SIGTERM drains too.
    let stop = stop_signal(drain_delay)?;
    report_start(api_listener.local_addr()?, probes_listener.local_addr()?, &database);

    // Probes stop last, so that /readyz reports the drain.
    let (stop_api, api_stop) = watch::channel(false);
    let (stop_probes, probes_stop) = watch::channel(false);
    let apps = runtimes.into_iter().zip(states.iter().cloned().map(api)).collect();
    let api_server = tokio::spawn(listener::serve_on(api_listener, apps, stopped(api_stop)));
    let probes_server =
        tokio::spawn(listener::serve(probes_listener, probes::router(state.clone()), stopped(probes_stop)));
    let housekeeping = [
        tokio::spawn(report_old_schema(state.clone())),
        tokio::spawn(read_keys(state.clone())),
        tokio::spawn(delete_keys(state.clone())),
        tokio::spawn(delete_changes(state.clone())),
        tokio::spawn(evict_clients(state.clone())),
    ];

    let (signal, drain_delay) = stop.await;
    // Readiness fails first: a replica that is removed too early would lose requests.
    state.drain();
    tracing::info!(signal, seconds = drain_delay.as_secs(), "Draining");
    // Until load balancers notice, they still send requests, which are answered.
    sleep(drain_delay).await;
    // They would never finish. Until now, their clients would have come back to this replica.
    state.end_streams();
    stop_api.send_replace(true);
    api_server.await.context("failed to stop the API")?;
    housekeeping.iter().for_each(tokio::task::JoinHandle::abort);
    // Requests in flight needed the stores until now.
    for state in &states {
        state.store.close().await;
    }
    stop_probes.send_replace(true);
    probes_server.await.context("failed to stop the listener of probes")?;
    tracing::info!("Stopped");
    Ok(())
}

fn settings(args: ServeArgs, auth: &AuthArgs) -> anyhow::Result<Settings> {
    let ServeArgs {
        listen: _,
        operations_listen: _,
        drain_delay: _,
        public_url,
        cors_allowed_origins,
        max_concurrent_requests,
        max_event_streams,
        max_import_bytes,
        page,
        rate_limit,
    } = args;
    Ok(Settings {
        public_url,
        cors_allowed_origins: origins(&cors_allowed_origins)?,
        rate_limit: rate_limit.limit(),
        trusted_proxies: rate_limit.proxies()?,
        max_concurrent_requests: Some(max_concurrent_requests),
        max_event_streams: Some(max_event_streams),
        max_import_bytes: Some(max_import_bytes),
        page: page.settings(auth)?,
    })
}

fn origins(texts: &[String]) -> anyhow::Result<Vec<AllowedOrigin>> {
    let parse = |text: &String| {
        let invalid = || format!("TODOSTACK_CORS_ALLOWED_ORIGINS: `{text}` would never match");
        text.parse().with_context(invalid)
    };
    given(texts).map(parse).collect()
}

fn report_start(listen: SocketAddr, operations_listen: SocketAddr, database: &Database) {
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, %listen, %operations_listen, %database, "Started");
    Welcome { listen, database }.print();
}

fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let listener = todostack_listen::bind(address).and_then(TcpListener::from_std);
    listener
        .map_err(|error| anyhow!("failed to listen on {address}: {error}: choose another one with {flag}"))
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender was dropped, which is a stop too.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Listens at once, and waits for the signal when it is awaited. Ctrl-C, which no load balancer sends, stops
/// without the delay.
fn stop_signal(delay: Duration) -> anyhow::Result<impl Future<Output = (&'static str, Duration)>> {
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => ("SIGTERM", delay),
            _ = interrupt.recv() => ("SIGINT", Duration::ZERO),
        }
    })
}

/// Outside of Kubernetes, no probe shows it.
async fn report_old_schema(state: AppState) {
    if let Ok(version) = state.store.schema_version().await
        && !version.serves()
    {
        let (found, wanted) = (version.found, version.wanted);
        tracing::warn!(found, wanted, "The schema of the database is too old: run `todostack-api migrate`");
    }
}

/// A replica is not ready before.
async fn read_keys(state: AppState) {
    if let Some(auth) = &state.shared.auth {
        auth.read_keys().await;
    }
}

async fn evict_clients(state: AppState) {
    while let Some(rate) = &state.shared.rate {
        sleep(EVICT_CLIENTS_EVERY).await;
        rate.evict_full();
    }
}

async fn delete_changes(state: AppState) {
    let mut failed = false;
    loop {
        sleep(DELETE_CHANGES_EVERY).await;
        let deleted = state.store.delete_old_changes().await;
        if let Err(error) = &deleted
            && !failed
        {
            let error = chain(error);
            tracing::warn!(error, "Failed to delete old rows of the log of changes: retrying");
        }
        failed = deleted.is_err();
    }
}

async fn delete_keys(state: AppState) {
    loop {
        sleep(DELETE_KEYS_EVERY).await;
        match state.store.delete_expired_keys().await {
            Ok(count) => tracing::debug!(count, "Deleted expired idempotency keys"),
            Err(error) => tracing::warn!(
                error = chain(&error),
                "Failed to delete expired idempotency keys: retrying in an hour"
            ),
        }
    }
}
