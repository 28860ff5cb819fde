//! What the cluster holds when a cause is named, written as YAML: the fixtures in `operator/src/diagnose/captured`. Asked
//! for by `TODOSTACK_CAPTURE=FOLDER`; without it nothing is written.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::jiff::Timestamp;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, TypeMeta},
};
use serde_json::{Value, json};
use todostack_crds::Reason;

use crate::{confidential::OPEN_KEYS, namespace::Namespace};

/// The variable that names the folder.
const FOLDER: &str = "TODOSTACK_CAPTURE";

/// Kinds as `group/version/Kind`, and whether the operator looks at their `spec` (its `prune.rs` drops the others).
const KINDS: &[(&str, bool)] = &[
    ("todostack.dev/v1alpha1/TodoStack", true),
    ("v1/Secret", true),
    ("v1/ConfigMap", true),
    ("v1/PersistentVolumeClaim", true),
    ("v1/Service", false),
    ("v1/ServiceAccount", false),
    ("apps/v1/StatefulSet", false),
    ("apps/v1/Deployment", false),
    ("batch/v1/Job", false),
    ("networking.k8s.io/v1/Ingress", false),
    ("v1/Pod", false),
    ("v1/Event", true),
];
/// Those of no namespace.
const CLUSTER_KINDS: &[&str] =
    &["v1/PersistentVolume", "storage.k8s.io/v1/StorageClass", "networking.k8s.io/v1/IngressClass"];

/// Writes `REASON.yaml`, or `REASON-CASE.yaml` in a case of a table.
///
/// # Errors
/// The API server does not answer, or the file cannot be written.
pub async fn write(namespace: &Namespace, stack: &str, reason: Reason) -> Result<()> {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
    let moment = Timestamp::now();
    let mut items = Vec::new();
    for (kind, with_spec) in KINDS {
        let kind = resource(kind)?;
        let api = Api::namespaced_with(namespace.cluster.client.clone(), &namespace.name, &kind);
        items.extend(list(&api, &kind, *with_spec).await?);
    }
    for kind in CLUSTER_KINDS {
        let kind = resource(kind)?;
        let found = list(&Api::all_with(namespace.cluster.client.clone(), &kind), &kind, true).await?;
        items.extend(found.into_iter().filter(|it| concerns(it, &namespace.name)));
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

fn resource(kind: &str) -> Result<ApiResource> {
    let (group_version, kind) = kind.rsplit_once('/').context("group/version/Kind")?;
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    Ok(ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind)))
}

async fn list(api: &Api<DynamicObject>, kind: &ApiResource, with_spec: bool) -> Result<Vec<Value>> {
    let listed = api.list(&ListParams::default()).await;
    let mut found = Vec::new();
    for mut object in listed.with_context(|| format!("failed to list {}", kind.plural))? {
        // The items of a list do not say what they are.
        object.types = Some(TypeMeta { api_version: kind.api_version.clone(), kind: kind.kind.clone() });
        let mut object = serde_json::to_value(object)?;
        prune(&mut object, with_spec);
        mask(&mut object);
        found.push(object);
    }
    Ok(found
        .into_iter()
        .filter(|it| it.pointer("/metadata/name") != Some(&json!("kube-root-ca.crt")))
        .collect())
}

/// Takes away what the operator never sees or what says nothing, and what kubectl may have copied of a Secret.
fn prune(object: &mut Value, with_spec: bool) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(object) = object.as_object_mut() {
        if !with_spec {
            object.remove("spec");
        }
        if kind == "TodoStack" {
            object.remove("status");
        }
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
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hush"}},
            "data": {"password": value("hu\u{7}sh ä\r\n"), "username": value("shop")},
        });
        prune(&mut secret, true);
        mask(&mut secret);
        assert_eq!(secret.pointer("/data/password"), Some(&value("xx\u{7}xxxxx\r\n")));
        assert_eq!(secret.pointer("/data/username"), Some(&value("shop")));
        assert_eq!(secret.pointer("/metadata/annotations"), Some(&json!({})));
    }
}
