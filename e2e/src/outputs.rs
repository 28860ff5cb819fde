//! Everything that was output since a namespace was created, except its Secrets: objects, logs, metrics, and
//! the logs of the cluster's own programs. The search for values of Secrets in it is `secret_values.rs`.

use std::{
    collections::BTreeMap,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use http::Request;
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::{
    Api, Discovery, Resource as _, ResourceExt as _,
    api::{DynamicObject, ListParams, LogParams},
    client::Body,
    discovery::{ApiGroup, Scope, verbs},
};
use todostack_testbed::local::plan;
use tokio::sync::OnceCell;

use crate::cluster::{Cluster, OPERATOR, OPERATOR_NAMESPACE};

const API_METRICS_PORT: u16 = 9090;

pub(crate) struct Text {
    // Where the text was read, as a failed search names it.
    pub(crate) place: String,
    pub(crate) bytes: Vec<u8>,
}

// The time, and the length of each log file, when a namespace was created.
pub(crate) struct OutputStart {
    time: Timestamp,
    log_lengths: BTreeMap<PathBuf, u64>,
}

impl OutputStart {
    pub(crate) fn now() -> Result<Self> {
        let mut log_lengths = BTreeMap::new();
        for path in log_files()? {
            let length = std::fs::metadata(&path)?.len();
            log_lengths.insert(path, length);
        }
        Ok(Self { time: Timestamp::now(), log_lengths })
    }

    pub(crate) async fn collect(&self, cluster: &Cluster, namespace: &str) -> Result<Vec<Text>> {
        let mut texts = objects(cluster, namespace).await?;
        let pods = Api::<Pod>::namespaced(cluster.client.clone(), namespace);
        texts.extend(pod_logs(&pods, &LogParams::default()).await?);
        for pod in pods.list(&ListParams::default().labels("app.kubernetes.io/component=api")).await? {
            let server = format!("{namespace}/pods/{}:{API_METRICS_PORT}", pod.name_any());
            texts.extend(metrics(cluster, &server).await?);
        }
        let since = LogParams { since_time: Some(self.time), ..LogParams::default() };
        texts.extend(pod_logs(&cluster.operator_api(), &since).await?);
        let server = format!("{OPERATOR_NAMESPACE}/services/{OPERATOR}:http");
        texts.extend(metrics(cluster, &server).await?);
        texts.extend(self.appended_logs()?);
        Ok(texts)
    }

    fn appended_logs(&self) -> Result<Vec<Text>> {
        let mut texts = Vec::new();
        for path in log_files()? {
            let mut file = std::fs::File::open(&path)?;
            file.seek(SeekFrom::Start(self.log_lengths.get(&path).copied().unwrap_or_default()))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).with_context(|| format!("failed to read {}", path.display()))?;
            texts.push(Text { place: path.display().to_string(), bytes });
        }
        Ok(texts)
    }
}

// Logs of the API server, the kubelets and so on. None if the cluster does not run on this machine.
fn log_files() -> Result<Vec<PathBuf>> {
    let folder = plan::logs();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).context("failed to list the cluster's logs")?;
    entries
        .map(|entry| Ok(entry?.path()))
        .filter(|path| path.as_ref().map_or(true, |it| it.is_file()))
        .collect()
}

// Every object of every kind but Secrets: those of the namespace, and those that are not namespaced.
async fn objects(cluster: &Cluster, namespace: &str) -> Result<Vec<Text>> {
    static KINDS: OnceCell<Discovery> = OnceCell::const_new();
    let client = &cluster.client;
    let kinds = KINDS.get_or_try_init(|| Discovery::new(client.clone()).run_aggregated()).await?;
    let mut texts = Vec::new();
    for (kind, capabilities) in kinds.groups().flat_map(ApiGroup::recommended_resources) {
        if kind.kind == "Secret" || !capabilities.supports_operation(verbs::LIST) {
            continue;
        }
        let namespace = matches!(capabilities.scope, Scope::Namespaced).then_some(namespace);
        let requests = kube::api::Request::new(DynamicObject::url_path(&kind, namespace));
        let list = requests.list(&ListParams::default())?;
        let listed =
            client.request_text(list).await.with_context(|| format!("failed to list {}", kind.plural))?;
        texts.push(Text { place: kind.plural, bytes: listed.into_bytes() });
    }
    Ok(texts)
}

// The logs of all containers, also of their previous instances.
async fn pod_logs(pods: &Api<Pod>, parameters: &LogParams) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    for pod in pods.list(&ListParams::default()).await? {
        let spec = pod.spec.iter();
        let containers = spec.flat_map(|it| it.init_containers.iter().flatten().chain(&it.containers));
        for container in containers {
            for previous in [false, true] {
                let container = Some(container.name.clone());
                let parameters = LogParams { container, previous, ..parameters.clone() };
                // A container that has not started, or not restarted, has no log.
                if let Ok(log) = pods.logs(&pod.name_any(), &parameters).await {
                    let place = format!("the log of {}", pod.name_any());
                    texts.push(Text { place, bytes: log.into_bytes() });
                }
            }
        }
    }
    Ok(texts)
}

// `None` if the server is not serving now.
async fn metrics(cluster: &Cluster, server: &str) -> Result<Option<Text>> {
    let uri = format!("/api/v1/namespaces/{server}/proxy/metrics");
    let response = cluster.proxy.send(Request::get(uri).body(Body::empty())?).await?;
    if !response.status().is_success() {
        return Ok(None);
    }
    let bytes = response.into_body().collect_bytes().await?.to_vec();
    Ok(Some(Text { place: format!("the metrics of {server}"), bytes }))
}
