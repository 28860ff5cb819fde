//! The operator as a process of the test, which a test can end at any of its writes. Between it and the API
//! server is a proxy that counts the writes. What a test does with it is in `tests/it/crash.rs`.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use anyhow::{Context as _, Result, bail, ensure};
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::apps::v1::Deployment;
use kube::client::Body;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::{
    cluster::{Cluster, OPERATOR},
    namespace::Namespace,
    stack::READY_WITHIN,
};

// The operator's program and settings, taken from the pod that runs in the cluster.
pub struct Program {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

// A running operator of one namespace. It ends when this is dropped.
pub struct OperatorProcess {
    child: Child,
    proxy: JoinHandle<()>,
    left: Left,
    fault: Faulty,
}

// What the proxy answers instead of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    // 429 with `Retry-After` to each write.
    TooManyRequests,
    // To each watch, that its resourceVersion is too old.
    Gone,
}

type Faulty = Arc<watch::Sender<Fault>>;

// How many writes are left until the process ends.
type Left = Arc<watch::Sender<Option<usize>>>;

impl Program {
    pub async fn of_running_operator(cluster: &Cluster) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::copy(running()?, folder.path().join(OPERATOR))
            .context("failed to copy the operator's program")?;
        let deployment = cluster.operator_api::<Deployment>().get(OPERATOR).await?;
        let pod = deployment.spec.and_then(|it| it.template.spec).context("no pod")?;
        let variables = pod.containers.into_iter().flat_map(|it| it.env.unwrap_or_default());
        // Without the Lease: its renewals are no writes of a reconcile, and the proxy counts all writes.
        let variables = variables.filter(|it| it.name != "TODOSTACK_LEASE");
        let variables = variables.filter_map(|it| Some((it.name, it.value?))).collect();
        Ok(Self { folder, variables })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(OPERATOR)
    }
}

// The program of the operator's process, which is in a container on this machine.
fn running() -> Result<PathBuf> {
    for process in fs::read_dir("/proc")? {
        let program = process?.path().join("exe");
        // Entries that are no processes, and processes that ended, have no program.
        let name = fs::read_link(&program).unwrap_or_default();
        if name == Path::new("/").join(OPERATOR) {
            return Ok(program);
        }
    }
    bail!("no process of the operator runs on this machine")
}

// The process of the operator's pod with this name, on this machine.
pub fn process_of(pod: &str) -> Result<String> {
    let variable = format!("POD_NAME={pod}");
    for process in fs::read_dir("/proc")? {
        let process = process?.path();
        let name = fs::read_link(process.join("exe")).unwrap_or_default();
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        if name == Path::new("/").join(OPERATOR) && variables.any(|it| it == variable.as_bytes()) {
            let number = process.file_name().context("no number")?;
            return Ok(number.to_string_lossy().into_owned());
        }
    }
    bail!("pod {pod} has no process on this machine")
}

impl OperatorProcess {
    // Starts the operator for `namespace` alone.
    pub async fn start(namespace: &Namespace, program: &Program) -> Result<Self> {
        Self::start_behind(namespace, program, async |address| Ok(address)).await
    }

    // As [`Self::start`], with something between it and the proxy: `before` gives its address.
    pub async fn start_behind(
        namespace: &Namespace,
        program: &Program,
        before: impl AsyncFnOnce(SocketAddr) -> Result<SocketAddr>,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let kubeconfig = program.folder.path().join("kubeconfig");
        let address = before(listener.local_addr()?).await?;
        fs::write(&kubeconfig, kubeconfig_of(address).to_string())?;
        let own =
            [("TODOSTACK_WATCH_NAMESPACE", namespace.name.as_str()), ("TODOSTACK_LISTEN", "127.0.0.1:0")];
        let child = Command::new(program.path())
            .envs(program.variables.iter().map(|(name, value)| (name, value)))
            .envs(own)
            .env("KUBECONFIG", &kubeconfig)
            // Its log would be mixed with the output of the tests.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start the operator")?;
        let left = Arc::new(watch::Sender::new(None));
        let fault = Arc::new(watch::Sender::new(Fault::None));
        let client = namespace.cluster.proxy.clone();
        let proxy = Proxy { client, left: Arc::clone(&left), fault: Arc::clone(&fault) };
        Ok(Self { child, proxy: tokio::spawn(proxy.serve(listener)), left, fault })
    }

    // Ends the process at this write from now on, counted from 1: after the API server has stored it, and
    // before the operator gets the answer.
    pub fn kill_at(&self, write: usize) {
        self.left.send_replace(Some(write));
    }

    // What the proxy answers from now on.
    pub fn answer_with(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    // Fails if the process has ended by itself.
    pub fn ensure_running(&mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "the operator has ended by itself");
        Ok(())
    }

    // Waits until the process has ended at its write.
    pub async fn until_killed(mut self) -> Result<()> {
        let mut left = self.left.subscribe();
        let is_last = left.wait_for(|left| *left == Some(0));
        timeout(READY_WITHIN, is_last).await.context("the operator has not come to its last write")??;
        self.ensure_running()?;
        self.child.kill().await.context("failed to kill the operator")
    }
}

impl Drop for OperatorProcess {
    fn drop(&mut self) {
        self.proxy.abort();
    }
}

fn kubeconfig_of(address: SocketAddr) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        "clusters": [{"name": "proxy", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "proxy", "user": {}}],
    })
}

// Forwards requests with the permissions of the test.
#[derive(Clone)]
struct Proxy {
    client: kube::Client,
    left: Left,
    fault: Faulty,
}

impl Proxy {
    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let proxy = self.clone();
            let service = service_fn(move |request| proxy.clone().forward(request));
            tokio::spawn(async move {
                // A connection ends with an error when the operator is killed.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            });
        }
    }

    async fn forward(self, request: Request<Incoming>) -> Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes().to_vec();
        let is_write = parts.method != Method::GET;
        if let Some(answer) = self.faulty_answer(&parts)? {
            return Ok(answer);
        }
        let is_dead = is_write && *self.left.borrow() == Some(0);
        if !is_dead {
            let response = self.client.send(Request::from_parts(parts, Body::from(body))).await?;
            if !(is_write && self.is_last()) {
                return Ok(response);
            }
        }
        // The operator is about to be killed.
        std::future::pending().await
    }

    fn faulty_answer(&self, request: &http::request::Parts) -> Result<Option<Response<Body>>> {
        let is_watch = request.uri.query().is_some_and(|query| query.contains("watch=true"));
        let status = |code: u16, reason: &str| json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason});
        let answer = match *self.fault.borrow() {
            Fault::TooManyRequests if request.method != Method::GET => Response::builder()
                .status(429)
                .header("retry-after", "1")
                .body(Body::from(status(429, "TooManyRequests").to_string().into_bytes())),
            Fault::Gone if is_watch => {
                let event = json!({"type": "ERROR", "object": status(410, "Expired")});
                Response::builder().body(Body::from(format!("{event}\n").into_bytes()))
            }
            Fault::None | Fault::TooManyRequests | Fault::Gone => return Ok(None),
        };
        Ok(Some(answer?))
    }

    // Counts a write; whether it is the one at which the process ends.
    fn is_last(&self) -> bool {
        self.left.send_if_modified(|left| {
            *left = left.map(|left| left.saturating_sub(1));
            *left == Some(0)
        })
    }
}
