//! A client of the todo API: through the Ingress, or through the API server's proxy for stacks without one.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::{Method, Request, StatusCode, request::Builder};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{namespace::Namespace, wait};

// Address of the test cluster's Ingress controller.
const INGRESS: &str = "http://127.0.0.1:8080";
// Ingress controllers and Services route to a new pod with a delay.
const ROUTED_WITHIN: Duration = Duration::from_secs(30);

// The fields of a todo that tests check.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Todo {
    pub id: Value,
    pub title: String,
    pub completed: bool,
    pub url: String,
}

// The todos of one stack, and the way to them.
pub enum Todos {
    Ingress { host: String },
    Proxy { client: kube::Client, base: String },
}

impl Namespace {
    // The todos of a stack, through the API server's proxy to its Service.
    pub fn todos(&self, stack: &str) -> Todos {
        let base = format!("/api/v1/namespaces/{}/services/{stack}-api:http/proxy", self.name);
        Todos::Proxy { client: self.cluster.proxy.clone(), base }
    }
}

impl Todos {
    // The todos of the stack whose Ingress has this host.
    pub fn at_host(host: &str) -> Self {
        Self::Ingress { host: host.to_owned() }
    }

    // Lists all todos, and retries until the API is reachable.
    pub async fn list_eventually(&self) -> Result<Vec<Todo>> {
        wait::eventually("reachable", ROUTED_WITHIN, || self.list()).await
    }

    pub async fn list(&self) -> Result<Vec<Todo>> {
        let (status, body) = self.call(Method::GET, "/todos", None).await?;
        ensure!(status == StatusCode::OK, "GET /todos: {status}: {body}");
        Ok(serde_json::from_value(body)?)
    }

    pub async fn add(&self, title: &str) -> Result<Todo> {
        let (status, body) = self.call(Method::POST, "/todos", Some(json!({"title": title}))).await?;
        ensure!(status == StatusCode::CREATED, "POST /todos: {status}: {body}");
        Ok(serde_json::from_value(body)?)
    }

    // Sends a request, and returns the JSON of the response (null for an empty body).
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Value)> {
        let request = Request::builder().method(&method).uri(path);
        self.send(request, body).await.with_context(|| format!("{method} {path}"))
    }

    // Adds a todo, with an Idempotency-Key in case the response is lost.
    pub async fn add_once(&self, title: &str, key: &str) -> Result<(StatusCode, Value)> {
        let request = Request::post("/todos").header("idempotency-key", key);
        self.send(request, Some(json!({"title": title}))).await
    }

    // `request` has a path without a host.
    async fn send(&self, request: Builder, body: Option<Value>) -> Result<(StatusCode, Value)> {
        let body = body.map(|it| it.to_string().into_bytes()).unwrap_or_default();
        let path = request.uri_ref().map(ToString::to_string).unwrap_or_default();
        let request = request.header("content-type", "application/json");
        let (status, text) = match self {
            Self::Ingress { host } => {
                let request = request.uri(format!("{INGRESS}{path}")).header("host", host).body(body)?;
                tokio::task::spawn_blocking(move || send_to_ingress(request)).await??
            }
            Self::Proxy { client, base } => {
                let request = request.uri(format!("{base}{path}")).body(kube::client::Body::from(body))?;
                let response = client.send(request).await?;
                let status = response.status();
                (status, String::from_utf8(response.into_body().collect_bytes().await?.to_vec())?)
            }
        };
        let value = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).with_context(|| format!("{status}: not JSON: {text}"))?,
        };
        Ok((status, value))
    }
}

fn send_to_ingress(request: Request<Vec<u8>>) -> Result<(StatusCode, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into();
    let mut response = agent.run(request)?;
    Ok((response.status(), response.body_mut().read_to_string()?))
}
