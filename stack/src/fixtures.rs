//! Literals for tests: a stack called `shop` (never `todo`, so that swapped labels show), fixed passwords, a
//! fixed time.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a literal that is wrong must fail the test"
)]

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};
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
