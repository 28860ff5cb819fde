//! Server-side apply and merge patches with field managers, without a schema: every list has one owner.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

type Path = Vec<String>;

// What an API server stores when `manager` applies `applied` to `live`, with force.
pub(crate) fn apply(live: &Value, applied: &Value, manager: &str, subresource: Option<&str>) -> Value {
    let entries = entries(live);
    let is_own = |entry: &Value| {
        entry["manager"] == manager
            && entry["operation"] == "Apply"
            && entry.get("subresource").and_then(Value::as_str) == subresource
    };
    let before: BTreeSet<Path> = entries.iter().filter(|entry| is_own(entry)).flat_map(paths_of).collect();
    let after = leaves(applied);
    let mut others: Vec<_> = entries.iter().filter(|entry| !is_own(entry)).cloned().collect();
    let mut result = live.clone();
    merge(&mut result, applied);
    for path in before.difference(&after) {
        if !others.iter().any(|entry| paths_of(entry).contains(path)) {
            remove(&mut result, path);
        }
    }
    let taken = |path: &Path| after.contains(path) && value_at(live, path) != value_at(applied, path);
    disown(&mut others, taken);
    others.push(entry(manager, "Apply", subresource, &after));
    result["metadata"]["managedFields"] = json!(others);
    result
}

// What an API server stores when `manager` sends `patch` (RFC 7386). It then owns what it changed.
pub(crate) fn merge_patch(live: &Value, patch: &Value, manager: &str, subresource: Option<&str>) -> Value {
    let mut result = live.clone();
    merge(&mut result, patch);
    let changed: BTreeSet<Path> = leaves(live)
        .union(&leaves(&result))
        .filter(|path| value_at(live, path) != value_at(&result, path))
        .cloned()
        .collect();
    if changed.is_empty() {
        return live.clone();
    }
    let mut others = entries(live);
    disown(&mut others, |path| changed.contains(path));
    let own = changed.into_iter().filter(|path| value_at(&result, path).is_some()).collect();
    others.push(entry(manager, "Update", subresource, &own));
    result["metadata"]["managedFields"] = json!(others);
    result
}

fn entries(live: &Value) -> Vec<Value> {
    live["metadata"]["managedFields"].as_array().cloned().unwrap_or_default()
}

fn entry(manager: &str, operation: &str, subresource: Option<&str>, paths: &BTreeSet<Path>) -> Value {
    let mut fields = json!({});
    for path in paths {
        let mut at = &mut fields;
        for name in path {
            at = at.as_object_mut().unwrap().entry(format!("f:{name}")).or_insert_with(|| json!({}));
        }
    }
    let mut entry = json!({"manager": manager, "operation": operation, "fieldsType": "FieldsV1",
        "fieldsV1": fields});
    if let Some(subresource) = subresource {
        entry["subresource"] = json!(subresource);
    }
    entry
}

fn disown(entries: &mut Vec<Value>, is_taken: impl Fn(&Path) -> bool) {
    for known in entries.iter_mut() {
        let left = paths_of(known).into_iter().filter(|path| !is_taken(path)).collect();
        let name = known["manager"].as_str().unwrap().to_owned();
        let operation = known["operation"].as_str().unwrap().to_owned();
        let subresource = known.get("subresource").and_then(Value::as_str).map(str::to_owned);
        *known = entry(&name, &operation, subresource.as_deref(), &left);
    }
    entries.retain(|entry| entry["fieldsV1"] != json!({}));
}

fn paths_of(entry: &Value) -> BTreeSet<Path> {
    let mut paths = BTreeSet::new();
    collect(&entry["fieldsV1"], &mut Vec::new(), &mut paths);
    let plain = |name: String| name.trim_start_matches("f:").to_owned();
    paths.into_iter().map(|path: Path| path.into_iter().map(plain).collect()).collect()
}

// The fields that an applied object sets, without its identity.
fn leaves(applied: &Value) -> BTreeSet<Path> {
    let mut paths = BTreeSet::new();
    collect(applied, &mut Vec::new(), &mut paths);
    let is_identity = |path: &Path| match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [first] => matches!(first, "apiVersion" | "kind"),
        ["metadata", field, ..] => {
            !matches!(field, "labels" | "annotations" | "ownerReferences" | "finalizers")
        }
        _ => false,
    };
    paths.retain(|path| !is_identity(path));
    paths
}

fn collect(value: &Value, prefix: &mut Path, paths: &mut BTreeSet<Path>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object {
                prefix.push(name.clone());
                collect(value, prefix, paths);
                prefix.pop();
            }
        }
        Value::Null => {}
        _ if prefix.is_empty() => {}
        _ => drop(paths.insert(prefix.clone())),
    }
}

pub(crate) fn merge(into: &mut Value, from: &Value) {
    let Value::Object(fields) = from else {
        *into = from.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let object = into.as_object_mut().unwrap();
    for (name, value) in fields {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn value_at<'a>(object: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, name| value.get(name))
}

fn remove(object: &mut Value, path: &[String]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(object, |value, name| value.get_mut(name));
    if let Some(parent) = parent.and_then(Value::as_object_mut) {
        parent.remove(last);
    }
}

#[test]
fn an_apply_owns_its_fields_and_removes_those_that_it_no_longer_has() {
    let first = apply(&json!({}), &json!({"kind": "X", "spec": {"a": 1, "b": [1]}}), "one", None);
    let other = merge_patch(&first, &json!({"spec": {"a": 2, "c": 3}}), "two", None);
    assert_eq!(other["spec"], json!({"a": 2, "b": [1], "c": 3}));
    let own = &other["metadata"]["managedFields"];
    assert_eq!(own[0]["fieldsV1"], json!({"f:spec": {"f:b": {}}}), "another manager took a field");
    let again = apply(&other, &json!({"kind": "X", "spec": {"a": 1}}), "one", None);
    assert_eq!(again["spec"], json!({"a": 1, "c": 3}));
    let managers: Vec<_> = again["metadata"]["managedFields"].as_array().unwrap().iter().collect();
    assert_eq!(managers[0]["fieldsV1"], json!({"f:spec": {"f:c": {}}}));
    assert_eq!(managers[1]["fieldsV1"], json!({"f:spec": {"f:a": {}}}));
}
