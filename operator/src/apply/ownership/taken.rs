//! Which field another manager has taken from the operator, and which manager, by `managedFields`. That one
//! was taken at all is decided in `ownership.rs`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::ObjectMeta;
use serde_json::{Map, Value};
use todostack_crds::FIELD_MANAGER;

/// A field that the operator applies and does not own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Path, as in `spec.template.spec.containers[api].image`.
    pub(crate) field: String,
    /// None for a field that was removed: then nobody owns it.
    pub(crate) manager: Option<String>,
}

/// A step on the way to a field.
#[derive(Clone, Copy)]
enum Segment<'a> {
    Field(&'a str),
    Item(&'a Value),
}

/// The first field of `desired` that another manager owns in place of the operator, or else the first that
/// nobody owns.
pub(crate) fn taken(desired: &Value, found: &ObjectMeta) -> Option<Taken> {
    let entries = || found.managed_fields.iter().flatten();
    let own = entries().find(|entry| is_operators(entry)).and_then(fields);
    let mut unowned = Vec::new();
    collect(desired, own, &mut Vec::new(), &mut unowned);
    let owner = |path: &Vec<Segment<'_>>| {
        let owns = |entry: &&ManagedFieldsEntry| {
            !is_operators(entry) && fields(entry).is_some_and(|fields| reaches(fields, path))
        };
        entries().find(owns).and_then(|entry| entry.manager.clone())
    };
    let taken = unowned.iter().find_map(|path| Some((path, owner(path)?)));
    let (path, manager) = match taken {
        Some((path, manager)) => (path, Some(manager)),
        None => (unowned.first()?, None),
    };
    Some(Taken { field: describe(path), manager })
}

fn is_operators(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(FIELD_MANAGER)
        && entry.operation.as_deref() == Some("Apply")
        && entry.subresource.is_none()
}

fn fields(entry: &ManagedFieldsEntry) -> Option<&Value> {
    entry.fields_v1.as_ref().map(|fields| &fields.0)
}

/// Adds the paths of all values below `desired` that `own` does not have.
fn collect<'a>(
    desired: &'a Value,
    own: Option<&Value>,
    path: &mut Vec<Segment<'a>>,
    unowned: &mut Vec<Vec<Segment<'a>>>,
) {
    let is_whole = |own: &Value| own.as_object().is_none_or(Map::is_empty);
    if !path.is_empty() && own.is_some_and(is_whole) {
        return;
    }
    let segments: Vec<(Segment<'a>, &'a Value)> = match desired {
        Value::Null => return,
        Value::Object(object) => object
            .iter()
            .filter(|(name, _)| !is_identity(path, name))
            .map(|(name, value)| (Segment::Field(name), value))
            .collect(),
        Value::Array(items) => items.iter().map(|item| (Segment::Item(item), item)).collect(),
        _ => Vec::new(),
    };
    if segments.is_empty() && own.is_none() && !path.is_empty() {
        unowned.push(path.clone());
    }
    for (segment, value) in segments {
        path.push(segment);
        collect(value, own.and_then(|own| below(own, segment)), path, unowned);
        path.pop();
    }
}

/// The identity of an object is never owned.
fn is_identity(path: &[Segment<'_>], name: &str) -> bool {
    match path {
        [] => matches!(name, "apiVersion" | "kind"),
        [Segment::Field("metadata")] => matches!(name, "name" | "namespace" | "uid"),
        _ => false,
    }
}

/// What a set of fields has below a step.
fn below<'a>(fields: &'a Value, segment: Segment<'_>) -> Option<&'a Value> {
    match segment {
        Segment::Field(name) => fields.get(format!("f:{name}")),
        Segment::Item(item) => {
            fields.as_object()?.iter().find(|(key, _)| is_item(item, key)).map(|(_, it)| it)
        }
    }
}

/// Whether `key` stands for the item: by its value (`v:`), or by some of its fields (`k:`), where one that
/// the item lacks has its default.
pub(super) fn is_item(item: &Value, key: &str) -> bool {
    if let Some(value) = key.strip_prefix("v:") {
        return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item);
    }
    let keys = key.strip_prefix("k:").and_then(|keys| serde_json::from_str::<Map<_, _>>(keys).ok());
    keys.is_some_and(|keys| {
        keys.iter().all(|(name, value)| item.get(name).is_none_or(|found| found == value))
    })
}

/// Whether a set of fields has the path, or one above it as a whole.
fn reaches(fields: &Value, path: &[Segment<'_>]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    below(fields, *first).is_some_and(|found| {
        let is_whole = found.as_object().is_none_or(Map::is_empty);
        is_whole || reaches(found, rest)
    })
}

fn describe(path: &[Segment<'_>]) -> String {
    let segments = path.iter().map(|segment| match segment {
        Segment::Field(name) if name.contains(['.', '/']) => format!("['{name}']"),
        Segment::Field(name) => format!(".{name}"),
        Segment::Item(item) => format!("[{}]", describe_item(item)),
    });
    segments.collect::<String>().trim_start_matches('.').to_owned()
}

/// What tells an item from the others of its list.
fn describe_item(item: &Value) -> String {
    let key =
        ["name", "containerPort", "port", "mountPath", "uid", "key"].iter().find_map(|key| item.get(key));
    match key.unwrap_or(item) {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn deployment() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "shop-api", "namespace": "shops", "labels": {"a": "b", "example.com/team": "x"},
                "finalizers": ["example.com/hold"]},
            "spec": {"replicas": 2, "template": {"spec": {
                "containers": [{"name": "api", "image": "api:1", "ports": [{"containerPort": 80}]}],
                "args": ["x"],
            }}},
        })
    }

    // As the API server answers an apply of `deployment()`.
    fn owned() -> Value {
        json!({
            "f:metadata": {"f:labels": {"f:a": {}, "f:example.com/team": {}},
                "f:finalizers": {".": {}, "v:\"example.com/hold\"": {}}},
            "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {
                "f:containers": {"k:{\"name\":\"api\"}": {".": {}, "f:name": {}, "f:image": {},
                    "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}},
                "f:args": {},
            }}},
        })
    }

    fn entry(manager: &str, operation: &str, subresource: Option<&str>, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "subresource": subresource,
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    // What is taken when `other` takes the field at the pointer, and leaves `left` there.
    fn taken_by(
        pointer: &str,
        left: Option<Value>,
        other: Option<Value>,
    ) -> Option<(String, Option<String>)> {
        let mut fields = owned();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = fields.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        let name = name.replace("~1", "/");
        parent.remove(&name).unwrap();
        parent.extend(left.map(|left| (name, left)));
        let entries: Vec<_> = [
            entry("kubelet", "Update", Some("status"), &json!({"f:status": {}})),
            entry("todostack-operator", "Apply", None, &fields),
        ]
        .into_iter()
        .chain(other)
        .collect();
        let found = serde_json::from_value(json!({"managedFields": entries})).unwrap();
        taken(&deployment(), &found).map(|Taken { field, manager }| (field, manager))
    }

    const CONTAINER: &str = "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"api\"}";

    #[rstest]
    #[case::replicas("/f:spec/f:replicas", json!({"f:spec": {"f:replicas": {}}}), "spec.replicas")]
    #[case::label("/f:metadata/f:labels/f:a", json!({"f:metadata": {"f:labels": {"f:a": {}}}}), "metadata.labels.a")]
    #[case::label_with_a_domain(
        "/f:metadata/f:labels/f:example.com~1team", json!({"f:metadata": {"f:labels": {"f:example.com/team": {}}}}),
        "metadata.labels['example.com/team']"
    )]
    #[case::item_of_a_set(
        "/f:metadata/f:finalizers/v:\"example.com~1hold\"",
        json!({"f:metadata": {"f:finalizers": {"v:\"example.com/hold\"": {}}}}), "metadata.finalizers[example.com/hold]"
    )]
    #[case::atomic_list(
        "/f:spec/f:template/f:spec/f:args", json!({"f:spec": {"f:template": {"f:spec": {"f:args": {}}}}}),
        "spec.template.spec.args[x]"
    )]
    #[case::whole_template(
        "/f:spec/f:template", json!({"f:spec": {"f:template": {}}}), "spec.template.spec.args[x]"
    )]
    fn the_field_and_its_new_manager_are_named(
        #[case] pointer: &str,
        #[case] fields: Value,
        #[case] expected: &str,
    ) {
        let other = entry("argocd-controller", "Update", None, &fields);
        let expected = (expected.to_owned(), Some("argocd-controller".to_owned()));
        assert_eq!(taken_by(pointer, None, Some(other)), Some(expected));
    }

    #[test]
    fn the_field_of_an_item_is_named_by_the_items_key() {
        let fields = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}}}}});
        let other = entry("keel", "Update", None, &fields);
        let field = format!("{CONTAINER}/f:image");
        let expected = ("spec.template.spec.containers[api].image".to_owned(), Some("keel".to_owned()));
        assert_eq!(taken_by(&field, None, Some(other)), Some(expected));
    }

    #[test]
    fn a_scaler_is_named_although_it_writes_a_subresource() {
        let other = entry("kubectl", "Update", Some("scale"), &json!({"f:spec": {"f:replicas": {}}}));
        let expected = ("spec.replicas".to_owned(), Some("kubectl".to_owned()));
        assert_eq!(taken_by("/f:spec/f:replicas", None, Some(other)), Some(expected));
    }

    #[test]
    fn nobody_owns_a_field_that_was_removed() {
        assert_eq!(taken_by("/f:spec/f:replicas", None, None), Some(("spec.replicas".to_owned(), None)));
    }

    #[test]
    fn a_taken_field_comes_before_a_removed_one() {
        let other = entry("keel", "Update", None, &json!({"f:spec": {"f:replicas": {}}}));
        let mut fields = owned();
        fields["f:metadata"]["f:labels"] = json!({"f:example.com/team": {}});
        fields["f:spec"].as_object_mut().unwrap().remove("f:replicas");
        let entries = json!([entry("todostack-operator", "Apply", None, &fields), other]);
        let found = serde_json::from_value(json!({"managedFields": entries})).unwrap();
        let expected = Taken { field: "spec.replicas".to_owned(), manager: Some("keel".to_owned()) };
        assert_eq!(taken(&deployment(), &found), Some(expected));
    }

    #[test]
    fn nothing_is_taken_of_an_object_as_it_was_applied() {
        let found = json!({"managedFields": [entry("todostack-operator", "Apply", None, &owned())]});
        assert_eq!(taken(&deployment(), &serde_json::from_value(found).unwrap()), None);
    }
}
