//! The objects that an object refers to by name.

use std::collections::BTreeSet;

use serde_json::Value;

// Plural and name of every object that some field of `value` names.
pub(crate) fn references(value: &Value) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<(&'static str, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                if let Some((resource, name)) = reference(field, value) {
                    found.insert((resource, name.to_owned()));
                }
                collect(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn reference<'a>(field: &str, value: &'a Value) -> Option<(&'static str, &'a str)> {
    let resource = match field {
        "secretKeyRef" | "secretRef" | "secretName" => "secrets",
        "configMap" | "configMapKeyRef" => "configmaps",
        "claimName" | "claimRef" => "persistentvolumeclaims",
        "volumeName" => "persistentvolumes",
        "serviceAccountName" => "serviceaccounts",
        "serviceName" | "service" => "services",
        _ => return None,
    };
    Some((resource, value.as_str().or_else(|| value.get("name")?.as_str())?))
}
