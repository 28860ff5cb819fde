//! Literals for tests: a stack called `shop` (never `todo`, so that swapped labels show), fixed passwords, a
//! fixed time.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a literal that is wrong must fail the test"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};
use serde_json::Value;
use todostack_crds::{FIELD_MANAGER, TodoStack};

use crate::{
    allowed::{AllowedExports, AllowedHosts},
    build::{Desired, build},
    config::Config,
    credentials::GeneratedSecrets,
    observed::{Listing, Observed},
    resolve::{Inputs, resolve},
    stack::Stack,
};

const TEMPLATE_SPECS: [(&str, &str); 3] = [
    ("minimal", "{}"),
    (
        "nfs",
        "{api: {replicas: 3, cors: {allowedOrigins: [https://app.example.com]},
            rateLimit: {requestsPerSecond: 50, burst: 100},
            auth: {jwt: {issuer: https://id.example.com, audience: todos,
              jwksUrl: https://id.example.com/keys, jwksCa: {configMap: {name: idp}}}}},
          database: {postgres: {version: '17', parameters: {max_connections: '200'},
            storage: {nfs: {server: nfs.example.com, path: /exports/shop}},
            initScripts: {configMap: {name: seed}}, nodeSelector: {disk: fast}}},
          exposure: {host: shop.example.com, ingress: {className: traefik}}}",
    ),
    ("sqlite", "{database: {sqlite: {}}}"),
];

/// A `TodoStack` as the API server would give it.
pub fn todostack(spec: &str) -> TodoStack {
    let mut stack = TodoStack::new("shop", serde_saphyr::from_str(spec).unwrap());
    stack.metadata.namespace = Some("shops".into());
    stack.metadata.uid = Some("11111111-2222-3333-4444-555555555555".into());
    stack.metadata.generation = Some(1);
    stack.metadata.resource_version = Some("10".into());
    stack.metadata.creation_timestamp = Some(Time(now()));
    stack
}
pub fn config() -> Config {
    Config {
        api_image: "registry.example.com/api:1".into(),
        postgres_repository: "docker.io/library/postgres".into(),
        cluster_domain: "cluster.local".into(),
        http_port: 80,
        https_port: 443,
        allowed_exports: AllowedExports::all(),
        allowed_hosts: AllowedHosts::default(),
        cluster_access: true,
    }
}
pub fn generated() -> GeneratedSecrets {
    GeneratedSecrets {
        superuser_password: "superuser-password".into(),
        app_password: "app-password".into(),
        revision: "revision-1".into(),
    }
}

/// A stack, resolved from what was seen.
pub fn resolved_from(spec: &str, observed: &Observed) -> Stack {
    resolved_at(&todostack(spec), observed, now())
}

/// A stack with its status, resolved from what was seen at a moment.
pub fn resolved_at(todostack: &TodoStack, observed: &Observed, now: Timestamp) -> Stack {
    let (generated, config) = (generated(), config());
    resolve(todostack, Inputs { observed, generated: &generated, config: &config, rotate: None, now })
        .unwrap()
}

/// A stack, resolved before anything was seen.
pub fn resolved(spec: &str) -> Stack {
    resolved_from(spec, &Observed::default())
}

/// The pod templates of stacks that have all that a template can have, by stack and kind: what an upgrade
/// compares.
pub fn templates() -> BTreeMap<String, Value> {
    let mut templates = BTreeMap::new();
    for (name, spec) in TEMPLATE_SPECS {
        for (_, desired) in build(&resolved(spec)) {
            let Desired::Apply(object) = desired else { continue };
            let object = serde_json::to_value(object).unwrap();
            let kind = object.pointer("/kind").and_then(Value::as_str);
            if let (Some(kind), Some(template)) = (kind, object.pointer("/spec/template")) {
                templates.insert(format!("{name} {kind}"), template.clone());
            }
        }
    }
    templates
}

/// 2026-11-21T12:00:00Z.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_795_262_400).unwrap()
}

/// The entry of `managedFields` of an object that the operator applied.
pub fn applied() -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        manager: Some(FIELD_MANAGER.to_owned()),
        operation: Some("Apply".to_owned()),
        ..ManagedFieldsEntry::default()
    }
}

/// What caches hold of a stack whose objects all exist.
pub fn listing(stack: &Stack) -> Listing {
    let mut listing = Listing::default();
    for (_, desired) in build(stack) {
        if let Desired::Apply(mut object) = desired {
            object.metadata_mut().managed_fields = Some(vec![applied()]);
            listing.managed.insert(object);
        }
    }
    listing
}
