//! Writes the objects of the cluster at the moment of a diagnosis as YAML, for the fixtures in
//! `stack/src/diagnose/captured`. Only if `TODOSTACK_CAPTURE=FOLDER` is set.

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

use todostack_stack::resources::login_secret::PUBLIC_KEYS;

use crate::namespace::Namespace;

const FOLDER: &str = "TODOSTACK_CAPTURE";

// Writes `REASON.yaml`, or `REASON-CASE.yaml` in a case of an `rstest` table.
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
    // A string such as `null` or `1e3` must not become another type in the fixture.
    let read: Value = serde_saphyr::from_str(&text)?;
    ensure!(read == capture, "the capture of {reason:?} changes in YAML");
    let path = folder.join(format!("{}{}.yaml", reason.as_str(), case_suffix()));
    std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
}

type List<'a> = BoxFuture<'a, Result<Vec<Value>>>;

// Lists all kinds that the operator reads, and prunes each object as in the operator's caches.
fn lists(namespace: &Namespace) -> Vec<List<'_>> {
    let mut lister =
        Lister { client: &namespace.cluster.client, namespace: &namespace.name, lists: Vec::new() };
    lister.namespaced_kind::<TodoStack>(|stack| stack.status = None);
    visit_kinds(&mut lister);
    lister.namespaced_kind::<ConfigMap>(|_| {});
    lister.namespaced_kind::<Pod>(prune::pod);
    lister.namespaced_kind::<Event>(|_| {});
    lister.cluster_kind::<StorageClass>(prune::storage_class);
    lister.cluster_kind::<IngressClass>(prune::ingress_class);
    lister.lists
}

struct Lister<'a> {
    client: &'a Client,
    namespace: &'a str,
    lists: Vec<List<'a>>,
}

impl KindVisitor for Lister<'_> {
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self) {
        self.namespaced_kind::<K>(K::prune);
    }

    fn cluster<K: ManagedKind>(&mut self) {
        self.cluster_kind::<K>(K::prune);
    }
}

impl Lister<'_> {
    fn namespaced_kind<K: Listed + Resource<Scope = NamespaceResourceScope>>(&mut self, prune: fn(&mut K)) {
        self.lists.push(list(Api::namespaced(self.client.clone(), self.namespace), prune).boxed());
    }

    fn cluster_kind<K: Listed>(&mut self, prune: fn(&mut K)) {
        let (api, namespace) = (Api::all(self.client.clone()), self.namespace);
        let list = async move {
            let objects = list(api, prune).await?;
            Ok(objects.into_iter().filter(|object| !is_foreign_volume(object, namespace)).collect())
        };
        self.lists.push(list.boxed());
    }
}

trait Listed: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + 'static {}
impl<K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + 'static> Listed
    for K
{
}

async fn list<K: Listed>(api: Api<K>, prune: fn(&mut K)) -> Result<Vec<Value>> {
    let listed = api.list(&ListParams::default()).await;
    let mut objects = Vec::new();
    for mut object in listed.with_context(|| format!("failed to list {}", K::plural(&())))? {
        // kube-controller-manager creates it in each namespace.
        if object.name_any() == "kube-root-ca.crt" {
            continue;
        }
        prune(&mut object);
        remove_clutter(object.meta_mut());
        let mut object = serde_json::to_value(object)?;
        mask(&mut object);
        objects.push(object);
    }
    Ok(objects)
}

// Diagnosis does not read managed fields, and kubectl's annotation can contain a copy of a Secret.
fn remove_clutter(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

// Replaces each byte of a Secret's values by `x`, except control bytes, which diagnosis looks for.
fn mask(object: &mut Value) {
    if object.get("kind") != Some(&json!("Secret")) {
        return;
    }
    let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) else { return };
    for (_, value) in data.iter_mut().filter(|(key, _)| !PUBLIC_KEYS.contains(&key.as_str())) {
        let bytes: Option<k8s_openapi::ByteString> = serde_json::from_value(value.clone()).ok();
        let masked =
            bytes.map(|bytes| k8s_openapi::ByteString(bytes.0.into_iter().map(masked_byte).collect()));
        // A value that cannot be decoded is dropped.
        *value = masked.and_then(|masked| serde_json::to_value(masked).ok()).unwrap_or_else(|| json!(""));
    }
}

fn masked_byte(byte: u8) -> u8 {
    if byte.is_ascii_control() { byte } else { b'x' }
}

// Whether an object is a PersistentVolume that belongs to another namespace.
fn is_foreign_volume(object: &Value, namespace: &str) -> bool {
    let is_volume = object.get("kind") == Some(&json!("PersistentVolume"));
    is_volume && object.pointer("/spec/claimRef/namespace") != Some(&json!(namespace))
}

// `-CASE` in a case of an `rstest` table: a test's thread has the path of the test as its name.
fn case_suffix() -> String {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default().rsplit("::").next().unwrap_or_default();
    let case = test.strip_prefix("case_").and_then(|rest| rest.split_once('_'));
    case.map(|(_, name)| format!("-{name}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_bytes_of_a_secret_are_kept() {
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
    fn the_annotation_that_can_contain_a_secret_is_removed() {
        let copy = ("kubectl.kubernetes.io/last-applied-configuration".to_owned(), "hush".to_owned());
        let mut metadata = ObjectMeta { annotations: Some([copy].into()), ..ObjectMeta::default() };
        remove_clutter(&mut metadata);
        assert_eq!(metadata.annotations, Some([].into()));
    }
}
