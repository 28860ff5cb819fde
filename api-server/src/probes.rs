//! Probes and metrics, on a listener of their own: `/livez`, `/readyz`, `/metrics`. No operations of the API.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::time::timeout;

use crate::{chain::chain, middleware::log, state::AppState};

/// How long the database may take to answer; shorter than the timeout of the kubelet's probe.
const CHECK_TIMEOUT: Duration = Duration::from_millis(1_500);

pub fn router(state: AppState) -> Router {
    Router::new()
        // Does not check the database: restarting this process would not fix it.
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .layer(from_fn(log::probe))
        .with_state(state)
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Check>,
}

/// 200 when this replica can serve requests, else 503 with the reason.
async fn readyz(State(state): State<AppState>) -> Response {
    let (database, schema) = database_checks(&state).await;
    let draining = state.shared.is_draining();
    let detail = if draining { "the service is stopping" } else { "the service is not stopping" };
    let checks = vec![Check { name: "draining", ok: !draining, detail: detail.to_owned() }, database, schema];
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks })).into_response()
}

async fn database_checks(state: &AppState) -> (Check, Check) {
    // One query for two checks: reading the version needs a working connection.
    let answer = timeout(CHECK_TIMEOUT, state.store.schema_version()).await;
    let failed = |detail: String| {
        let unknown = "unknown while the database does not answer".to_owned();
        (Check { name: "database", ok: false, detail }, Check { name: "schema", ok: false, detail: unknown })
    };
    match answer {
        Err(_) => failed(format!("did not answer within {} ms", CHECK_TIMEOUT.as_millis())),
        Ok(Err(error)) => failed(chain(&error)),
        Ok(Ok(version)) => {
            let detail = format!("schema version {}, want {}", version.found, version.wanted);
            (
                Check { name: "database", ok: true, detail: "answers".to_owned() },
                Check { name: "schema", ok: version.serves(), detail },
            )
        }
    }
}

async fn metrics(State(state): State<AppState>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match state.shared.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, content_type)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
