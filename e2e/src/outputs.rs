//! Everything that was written while a namespace lived, beside its Secrets: objects, logs, metrics, and what the
//! cluster's own programs wrote. What must not stand in it is `secret_values.rs`.

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

/// The port of an API pod's metrics.
const API_METRICS: u16 = 9090;

/// Something that was written, and where.
pub(crate) struct Text {
    pub(crate) place: String,
    pub(crate) bytes: Vec<u8>,
}

/// Where writing stood when a namespace was made.
pub(crate) struct Since {
    moment: Timestamp,
    programs: BTreeMap<PathBuf, u64>,
}

impl Since {
    pub(crate) fn now() -> Result<Self> {
        let mut programs = BTreeMap::new();
        for path in programs_logs()? {
            let length = std::fs::metadata(&path)?.len();
            programs.insert(path, length);
        }
        Ok(Self { moment: Timestamp::now(), programs })
    }

    /// All that the cluster holds of the namespace, and all that was written anywhere since.
    pub(crate) async fn written(&self, cluster: &Cluster, namespace: &str) -> Result<Vec<Text>> {
        let mut texts = objects(cluster, namespace).await?;
        let pods = Api::<Pod>::namespaced(cluster.client.clone(), namespace);
        texts.extend(logs(&pods, &LogParams::default()).await?);
        for pod in pods.list(&ListParams::default().labels("app.kubernetes.io/component=api")).await? {
            let server = format!("{namespace}/pods/{}:{API_METRICS}", pod.name_any());
            texts.extend(metrics(cluster, &server).await?);
        }
        let operator = Api::<Pod>::namespaced(cluster.client.clone(), OPERATOR_NAMESPACE);
        let since = LogParams { since_time: Some(self.moment), ..LogParams::default() };
        texts.extend(logs(&operator, &since).await?);
        let server = format!("{OPERATOR_NAMESPACE}/services/{OPERATOR}:http");
        texts.extend(metrics(cluster, &server).await?);
        texts.extend(self.programs()?);
        Ok(texts)
    }

    fn programs(&self) -> Result<Vec<Text>> {
        let mut texts = Vec::new();
        for path in programs_logs()? {
            let mut file = std::fs::File::open(&path)?;
            file.seek(SeekFrom::Start(self.programs.get(&path).copied().unwrap_or_default()))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).with_context(|| format!("failed to read {}", path.display()))?;
            texts.push(Text { place: path.display().to_string(), bytes });
        }
        Ok(texts)
    }
}

fn programs_logs() -> Result<Vec<PathBuf>> {
    // A cluster that does not run on this machine has its logs elsewhere.
    let folder = plan::logs();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).context("failed to list the programs' logs")?;
    entries
        .map(|entry| Ok(entry?.path()))
        .filter(|path| path.as_ref().map_or(true, |it| it.is_file()))
        .collect()
}

/// Every object of every kind but Secrets: those of the namespace, and those of none.
async fn objects(cluster: &Cluster, namespace: &str) -> Result<Vec<Text>> {
    static KINDS: OnceCell<Discovery> = OnceCell::const_new();
    let client = &cluster.client;
    let kinds = KINDS.get_or_try_init(|| Discovery::new(client.clone()).run_aggregated()).await?;
    let mut texts = Vec::new();
    for (kind, can) in kinds.groups().flat_map(ApiGroup::recommended_resources) {
        if kind.kind == "Secret" || !can.supports_operation(verbs::LIST) {
            continue;
        }
        let within = matches!(can.scope, Scope::Namespaced).then_some(namespace);
        let requests = kube::api::Request::new(DynamicObject::url_path(&kind, within));
        let list = requests.list(&ListParams::default())?;
        let listed =
            client.request_text(list).await.with_context(|| format!("failed to list {}", kind.plural))?;
        texts.push(Text { place: kind.plural, bytes: listed.into_bytes() });
    }
    Ok(texts)
}

/// The logs of all containers, of those that were restarted too.
async fn logs(pods: &Api<Pod>, parameters: &LogParams) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    for pod in pods.list(&ListParams::default()).await? {
        let spec = pod.spec.iter();
        let containers = spec.flat_map(|it| it.init_containers.iter().flatten().chain(&it.containers));
        for container in containers {
            for previous in [false, true] {
                let container = Some(container.name.clone());
                let parameters = LogParams { container, previous, ..parameters.clone() };
                // One that waits for its image, or was never restarted, has no log.
                if let Ok(log) = pods.logs(&pod.name_any(), &parameters).await {
                    texts.push(Text {
                        place: format!("the log of {}", pod.name_any()),
                        bytes: log.into_bytes(),
                    });
                }
            }
        }
    }
    Ok(texts)
}

/// What a server says to Prometheus; nothing, where it does not serve now.
async fn metrics(cluster: &Cluster, server: &str) -> Result<Option<Text>> {
    let uri = format!("/api/v1/namespaces/{server}/proxy/metrics");
    let answer = cluster.proxy.send(Request::get(uri).body(Body::empty())?).await?;
    if !answer.status().is_success() {
        return Ok(None);
    }
    let bytes = answer.into_body().collect_bytes().await?.to_vec();
    Ok(Some(Text { place: format!("the metrics of {server}"), bytes }))
}
