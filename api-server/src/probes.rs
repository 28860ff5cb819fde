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
use todostack_store::Error;
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

/// The name of the check that the keys of the tokens' issuer were read.
pub(crate) const KEYS: &str = "keys";

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

struct Database {
    connection: Check,
    schema: Check,
    needs_migration: bool,
}

/// 200 when this replica can serve requests. 424 when it could after a migration (`todostack-api migrate`):
/// the database answers, and its schema is older or it denies access. Else 503. The body says why.
async fn readyz(State(state): State<AppState>) -> Response {
    let Database { connection, schema, needs_migration } = check_database(&state).await;
    let draining = state.shared.is_draining();
    let detail = if draining { "the service is stopping" } else { "the service is not stopping" };
    let draining_check = Check { name: "draining", ok: !draining, detail: detail.to_owned() };
    let checks =
        [draining_check, connection, schema].into_iter().chain(check_keys(&state)).collect::<Vec<_>>();
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready {
        StatusCode::OK
    } else if needs_migration && !draining {
        StatusCode::FAILED_DEPENDENCY
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, checks })).into_response()
}

/// `None` without authentication. Once the keys were read, they serve while the issuer is away.
fn check_keys(state: &AppState) -> Option<Check> {
    let missing = state.shared.auth.as_ref()?.missing_keys();
    let ok = missing.is_none();
    Some(Check {
        name: KEYS,
        ok,
        detail: missing.unwrap_or_else(|| "the keys of the issuer were read".to_owned()),
    })
}

async fn check_database(state: &AppState) -> Database {
    // One query for two checks: reading the version needs a working connection.
    let answer = timeout(CHECK_TIMEOUT, state.store.schema_version()).await;
    let failed = |detail: String, needs_migration| Database {
        connection: Check { name: "database", ok: false, detail },
        schema: Check {
            name: "schema",
            ok: false,
            detail: "unknown while the database does not answer".to_owned(),
        },
        needs_migration,
    };
    match answer {
        Err(_) => failed(format!("did not answer within {} ms", CHECK_TIMEOUT.as_millis()), false),
        Ok(Err(error)) => failed(chain(&error), matches!(error, Error::LoginRefused(_))),
        Ok(Ok(version)) => {
            let detail = format!("schema version {}, want {}", version.found, version.wanted);
            Database {
                connection: Check { name: "database", ok: true, detail: "answers".to_owned() },
                schema: Check { name: "schema", ok: version.serves(), detail },
                needs_migration: !version.serves(),
            }
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
