//! What the cluster holds when a cause is named, written as YAML: the fixtures in `stack/src/diagnose/captured`. Asked
//! for by `TODOSTACK_CAPTURE=FOLDER`; without it nothing is written.

use std::{fmt::Debug, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use futures::{FutureExt as _, future::BoxFuture};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{ConfigMap, Event, Pod},
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
    jiff::Timestamp,
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ListParams, ObjectMeta},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use todostack_crds::{Reason, TodoStack};
use todostack_stack::{
    managed::{KindVisitor, ManagedKind, visit_kinds},
    prune,
};

use crate::{namespace::Namespace, secret_values::OPEN_KEYS};

/// The variable that names the folder.
const FOLDER: &str = "TODOSTACK_CAPTURE";

/// Writes `REASON.yaml`, or `REASON-CASE.yaml` in a case of a table.
///
/// # Errors
/// The API server does not answer, or the file cannot be written.
pub async fn write(namespace: &Namespace, stack: &str, reason: Reason) -> Result<()> {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
    let moment = Timestamp::now();
    let mut items = Vec::new();
    for list in lists(namespace) {
        items.extend(list.await?);
    }
    let capture = json!({
        "apiVersion": "v1",
        "kind": "List",
        "metadata": {"annotations": {
            "todostack.dev/captured-at": moment.to_string(),
            "todostack.dev/stack": stack,
            "todostack.dev/api-image": namespace.cluster.api_image().await?,
        }},
        "items": items,
    });
    let text = serde_saphyr::to_string(&capture)?;
    let read: Value = serde_saphyr::from_str(&text)?;
    ensure!(read == capture, "what was captured for {reason:?} does not survive YAML");
    let path = folder.join(format!("{}{}.yaml", reason.as_str(), case()));
    std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
}

type List<'a> = BoxFuture<'a, Result<Vec<Value>>>;

/// The LISTs of all kinds that the operator reads, each object pruned as in its caches.
fn lists(namespace: &Namespace) -> Vec<List<'_>> {
    let mut lister =
        Lister { client: &namespace.cluster.client, namespace: &namespace.name, lists: Vec::new() };
    lister.within::<TodoStack>(|stack| stack.status = None);
    visit_kinds(&mut lister);
    lister.within::<ConfigMap>(|_| {});
    lister.within::<Pod>(prune::pod);
    lister.within::<Event>(|_| {});
    lister.everywhere::<StorageClass>(prune::storage_class);
    lister.everywhere::<IngressClass>(prune::ingress_class);
    lister.lists
}

struct Lister<'a> {
    client: &'a Client,
    namespace: &'a str,
    lists: Vec<List<'a>>,
}

impl KindVisitor for Lister<'_> {
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self) {
        self.within::<K>(K::prune);
    }

    fn cluster<K: ManagedKind>(&mut self) {
        self.everywhere::<K>(K::prune);
    }
}

impl Lister<'_> {
    fn within<K: Listed + Resource<Scope = NamespaceResourceScope>>(&mut self, prune: fn(&mut K)) {
        self.lists.push(list(Api::namespaced(self.client.clone(), self.namespace), prune).boxed());
    }

    fn everywhere<K: Listed>(&mut self, prune: fn(&mut K)) {
        let (api, namespace) = (Api::all(self.client.clone()), self.namespace);
        let list = async move {
            let found = list(api, prune).await?;
            Ok(found.into_iter().filter(|object| concerns(object, namespace)).collect())
        };
        self.lists.push(list.boxed());
    }
}

/// A type that is captured.
trait Listed: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + 'static {}
impl<K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + 'static> Listed
    for K
{
}

async fn list<K: Listed>(api: Api<K>, prune: fn(&mut K)) -> Result<Vec<Value>> {
    let listed = api.list(&ListParams::default()).await;
    let mut found = Vec::new();
    for mut object in listed.with_context(|| format!("failed to list {}", K::plural(&())))? {
        // kubelet and controllers add it to each namespace.
        if object.name_any() == "kube-root-ca.crt" {
            continue;
        }
        prune(&mut object);
        remove_copies(object.meta_mut());
        let mut object = serde_json::to_value(object)?;
        mask(&mut object);
        found.push(object);
    }
    Ok(found)
}

/// Field managers say nothing to diagnosis; kubectl may have copied a Secret into its annotation.
fn remove_copies(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// Values of a Secret keep their shape alone: `x` for each byte but control bytes.
fn mask(object: &mut Value) {
    if object.get("kind") != Some(&json!("Secret")) {
        return;
    }
    let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) else { return };
    for (_, value) in data.iter_mut().filter(|(key, _)| !OPEN_KEYS.contains(&key.as_str())) {
        let bytes: Option<k8s_openapi::ByteString> = serde_json::from_value(value.clone()).ok();
        let masked = bytes.map(|bytes| k8s_openapi::ByteString(bytes.0.into_iter().map(shape).collect()));
        // What cannot be read is not written either.
        *value = masked.and_then(|masked| serde_json::to_value(masked).ok()).unwrap_or_else(|| json!(""));
    }
}

fn shape(byte: u8) -> u8 {
    if byte.is_ascii_control() { byte } else { b'x' }
}

/// Whether an object of no namespace may matter to a stack of this one.
fn concerns(object: &Value, namespace: &str) -> bool {
    let is_volume = object.get("kind") == Some(&json!("PersistentVolume"));
    !is_volume || object.pointer("/spec/claimRef/namespace") == Some(&json!(namespace))
}

/// `-CASE` for a case of a table: the name of a test's thread is the path of the test.
fn case() -> String {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default().rsplit("::").next().unwrap_or_default();
    let case = test.strip_prefix("case_").and_then(|rest| rest.split_once('_'));
    case.map(|(_, name)| format!("-{name}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_keeps_its_shape_and_none_of_its_bytes() {
        let value = |text: &str| json!(k8s_openapi::ByteString(text.as_bytes().to_vec()));
        let mut secret = json!({
            "kind": "Secret",
            "data": {"password": value("hu\u{7}sh ä\r\n"), "username": value("shop")},
        });
        mask(&mut secret);
        assert_eq!(secret.pointer("/data/password"), Some(&value("xx\u{7}xxxxx\r\n")));
        assert_eq!(secret.pointer("/data/username"), Some(&value("shop")));
    }

    #[test]
    fn no_copy_of_a_secret_stays_in_annotations() {
        let copy = ("kubectl.kubernetes.io/last-applied-configuration".to_owned(), "hush".to_owned());
        let mut metadata = ObjectMeta { annotations: Some([copy].into()), ..ObjectMeta::default() };
        remove_copies(&mut metadata);
        assert_eq!(metadata.annotations, Some([].into()));
    }
}
