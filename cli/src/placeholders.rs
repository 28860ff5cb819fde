//! Placeholders for objects that the user may not read, so that no finding says that they do not exist.
//! Conditions that depend on such objects are shown as the operator reported them: see `forbidden.rs`.

use std::sync::Arc;

use k8s_openapi::{
    ByteString,
    api::{
        core::v1::{ConfigMap, Secret},
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
};
use kube::api::ObjectMeta;
use todostack_stack::{
    diagnose::{DEFAULT_INGRESS_CLASS, DEFAULT_STORAGE_CLASS},
    observed::{Lookup, Observed},
    requirements::References,
};

use crate::forbidden::Forbidden;

/// Value of keys that may not be read, and name of classes. Neither is sent to a server.
const UNREAD: &str = "unread";

pub(crate) fn add(observed: &mut Observed, references: References<'_>, forbidden: &[Forbidden]) {
    // Nothing is checked of a certificate, or of an authority, that was not looked up.
    let References { credentials, external, tls: _, init_scripts, jwks_ca: _, storage_class, ingress_class } =
        references;
    let lookups = &mut observed.referenced;
    fill(&mut lookups.credentials, credentials, secret);
    fill(&mut lookups.external, external, secret);
    fill(&mut lookups.init_scripts, init_scripts, |metadata| ConfigMap { metadata, ..ConfigMap::default() });
    if forbidden.contains(&Forbidden::StorageClasses) {
        let metadata = class(storage_class, DEFAULT_STORAGE_CLASS);
        observed.storage_classes = vec![Arc::new(StorageClass { metadata, ..StorageClass::default() })];
    }
    if forbidden.contains(&Forbidden::IngressClasses) {
        let metadata = class(ingress_class, DEFAULT_INGRESS_CLASS);
        observed.ingress_classes = vec![Arc::new(IngressClass { metadata, ..IngressClass::default() })];
    }
}

/// Only a forbidden object is referenced and was not looked up.
fn fill<K>(lookup: &mut Lookup<K>, name: Option<&str>, placeholder: fn(ObjectMeta) -> K) {
    if let (Some(name), Lookup::NotNamed) = (name, &*lookup) {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        *lookup = Lookup::Found(Box::new(placeholder(metadata)));
    }
}

fn secret(metadata: ObjectMeta) -> Secret {
    let keys = ["username", "password", "host", "dbname"];
    let value = || ByteString(UNREAD.as_bytes().to_vec());
    let data = keys.into_iter().map(|key| (key.to_owned(), value())).collect();
    Secret { metadata, data: Some(data), ..Secret::default() }
}

/// A class that the spec asks for and that is the default.
fn class(name: Option<&str>, default: &str) -> ObjectMeta {
    let annotations = [(default.to_owned(), "true".to_owned())].into();
    ObjectMeta {
        name: Some(name.unwrap_or(UNREAD).to_owned()),
        annotations: Some(annotations),
        ..ObjectMeta::default()
    }
}
