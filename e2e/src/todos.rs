//! The todo API as its users call it: through the Ingress, or through the API server where a stack has none.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{namespace::Namespace, wait};

/// Where the Ingress controller of the test clusters answers.
const INGRESS: &str = "http://127.0.0.1:8080";
/// An Ingress controller takes a moment to load a route; so does a Service after a pod's end.
const ROUTED_WITHIN: Duration = Duration::from_secs(30);

/// A todo, as far as tests look at it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Todo {
    /// Its opaque identity.
    pub id: Value,
    /// What to do.
    pub title: String,
    /// Whether it is done.
    pub completed: bool,
    /// Where it answers.
    pub url: String,
}

/// The todos of one stack.
pub struct Todos {
    route: Route,
}

enum Route {
    Ingress { host: String },
    Proxy { client: kube::Client, base: String },
}

impl Namespace {
    /// The stack's todos through the API server's proxy to its Service.
    #[must_use]
    pub fn todos(&self, stack: &str) -> Todos {
        let base = format!("/api/v1/namespaces/{}/services/{stack}-api:http/proxy", self.name);
        Todos { route: Route::Proxy { client: self.cluster.proxy.clone(), base } }
    }
}

impl Todos {
    /// The todos at a host name of the Ingress.
    #[must_use]
    pub fn at(host: &str) -> Self {
        Self { route: Route::Ingress { host: host.to_owned() } }
    }

    /// Waits until the list answers, and gives it back.
    ///
    /// # Errors
    /// It does not at the deadline.
    pub async fn answered(&self) -> Result<Vec<Todo>> {
        wait::eventually("answered", ROUTED_WITHIN, || self.list()).await
    }

    /// All todos.
    ///
    /// # Errors
    /// The answer is not 200 with a list.
    pub async fn list(&self) -> Result<Vec<Todo>> {
        let (status, body) = self.call(Method::GET, "/todos", None).await?;
        ensure!(status == StatusCode::OK, "GET /todos: {status}: {body}");
        Ok(serde_json::from_value(body)?)
    }

    /// Adds a todo.
    ///
    /// # Errors
    /// The answer is not 201 with the todo.
    pub async fn add(&self, title: &str) -> Result<Todo> {
        let (status, body) = self.call(Method::POST, "/todos", Some(json!({"title": title}))).await?;
        ensure!(status == StatusCode::CREATED, "POST /todos: {status}: {body}");
        Ok(serde_json::from_value(body)?)
    }

    /// One request; the body is null where the answer has none.
    ///
    /// # Errors
    /// There is no answer, or it is not JSON.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Value)> {
        let body = body.map(|it| it.to_string().into_bytes()).unwrap_or_default();
        let request = |uri: String| {
            Request::builder().method(method.clone()).uri(uri).header("content-type", "application/json")
        };
        let (status, text) = match &self.route {
            Route::Ingress { host } => {
                let request = request(format!("{INGRESS}{path}")).header("host", host).body(body)?;
                tokio::task::spawn_blocking(move || over_the_ingress(request)).await??
            }
            Route::Proxy { client, base } => {
                let answer = client
                    .send(request(format!("{base}{path}")).body(kube::client::Body::from(body))?)
                    .await?;
                let status = answer.status();
                (status, String::from_utf8(answer.into_body().collect_bytes().await?.to_vec())?)
            }
        };
        let value = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text)
                .with_context(|| format!("{method} {path}: {status}: not JSON: {text}"))?,
        };
        Ok((status, value))
    }
}

fn over_the_ingress(request: Request<Vec<u8>>) -> Result<(StatusCode, String)> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into();
    let mut answer = agent.run(request)?;
    Ok((answer.status(), answer.body_mut().read_to_string()?))
}
