//! Snapshots of all managed objects of four stacks, and what must hold for every object of every stack.

use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::{
    fixtures::{resolved, resolved_from, todostack},
    managed::{self, Kind, Secret},
    observed::{Lookup, Observed},
    requirements::Requirements,
};

mod changes;
mod isolation;
mod metadata;
mod released;

const MINIMAL: &str = "{}";
const NFS: &str = "
deletionPolicy: Delete
api:
  replicas: 3
  logLevel: debug
  image: registry.example.com/api:2
  cors: {allowedOrigins: [https://app.example.com, https://other.example.com]}
  rateLimit: {requestsPerSecond: 50, burst: 100}
  auth:
    jwt:
      issuer: https://id.example.com
      audience: todos
      rolesClaim: roles
      jwksUrl: https://id.example.com/keys
      jwksCa: {configMap: {name: idp}}
      clientId: page
      clientScope: openid todos:read
      clientOrigins: [https://login.example.com]
page: {enabled: false}
database:
  postgres:
    version: '17'
    storage: {size: 5Gi, nfs: {server: nfs.example.com, path: /exports/shop}}
    parameters: {max_connections: '200'}
    initScripts: {configMap: {name: seed}}
    nodeSelector: {disk: fast}
    tolerations: [{key: database, operator: Exists}]
exposure:
  host: shop.example.com
  ingress: {className: traefik, annotations: {a: b}, tls: {secretName: shop-tls}}
  url: https://www.example.com/shop/
  trustedProxies: {networks: [10.0.0.0/8]}
";
const SQLITE: &str = "database: {sqlite: {storage: {storageClassName: fast}}}";
const EXTERNAL: &str = "database: {external: {secret: {name: pg}}}";

fn external() -> Stack {
    let data = [("host", "pg.example.com"), ("dbname", "shop"), ("username", "shop"), ("password", "p w\n")];
    let secret = Secret {
        metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
            name: Some("pg".into()),
            ..Default::default()
        },
        data: Some(data.map(|(k, v)| (k.to_owned(), k8s_openapi::ByteString(v.into()))).into()),
        ..Secret::default()
    };
    let mut observed = Observed::default();
    observed.referenced.external = Lookup::Found(Box::new(secret));
    resolved_from(EXTERNAL, &observed)
}

fn applied(stack: &Stack) -> Vec<(ManagedResource, Object)> {
    let applied = build(stack).into_iter().filter_map(|(resource, desired)| match desired {
        Desired::Apply(object) => Some((resource, object)),
        Desired::Keep | Desired::Delete(_) => None,
    });
    applied.collect()
}

fn objects(stack: &Stack) -> Vec<Value> {
    applied(stack).iter().map(|(_, object)| serde_json::to_value(object).unwrap()).collect()
}

fn desired(stack: &Stack, resource: ManagedResource) -> Desired {
    build(stack).into_iter().find(|(it, _)| *it == resource).unwrap().1
}

fn every_stack() -> [Stack; 4] {
    [resolved(MINIMAL), resolved(NFS), resolved(SQLITE), external()]
}

#[rstest]
#[case::minimal("minimal", resolved(MINIMAL))]
#[case::nfs("nfs", resolved(NFS))]
#[case::sqlite("sqlite", resolved(SQLITE))]
#[case::external("external", external())]
fn the_objects_of_a_stack_match_their_snapshot(#[case] name: &str, #[case] stack: Stack) {
    insta::assert_yaml_snapshot!(name, objects(&stack));
}

fn pod_templates(object: &Value) -> Option<&Value> {
    object.pointer("/spec/template")
}

fn containers(template: &Value) -> Vec<&Value> {
    ["/spec/initContainers", "/spec/containers"]
        .iter()
        .filter_map(|path| template.pointer(path)?.as_array())
        .flatten()
        .collect()
}

#[test]
fn every_pod_conforms_to_the_restricted_pod_security_standard() {
    for template in every_stack().iter().flat_map(objects).filter_map(|o| pod_templates(&o).cloned()) {
        let pod = &template["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["enableServiceLinks"], false);
        for container in containers(&template) {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["readOnlyRootFilesystem"], true);
            assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]));
            assert_eq!(container["terminationMessagePolicy"], "FallbackToLogsOnError");
            assert!(container["resources"]["requests"]["memory"].is_string(), "{}", container["name"]);
        }
    }
}

// In commands and variables, Kubernetes replaces `$$` with `$` (`$$(NAME)` escapes a reference to a
// variable).
#[test]
fn no_object_contains_two_dollars_in_a_row() {
    for object in every_stack().iter().flat_map(objects) {
        assert!(!object.to_string().contains("$$"), "{object}");
    }
}

#[test]
fn every_secret_key_claim_and_volume_that_a_pod_references_exists() {
    for stack in every_stack() {
        let objects = objects(&stack);
        let named = |kind: &str, name: &Value| {
            objects
                .iter()
                .find(|object| object["kind"] == kind && object["metadata"]["name"] == *name)
                .cloned()
        };
        for template in objects.iter().filter_map(pod_templates) {
            let volumes = template["spec"]["volumes"].as_array().unwrap();
            for volume in volumes {
                if let Some(secret) = volume.pointer("/secret/secretName") {
                    assert!(named("Secret", secret).is_some(), "{secret}");
                }
                if let Some(claim) = volume.pointer("/persistentVolumeClaim/claimName") {
                    assert!(named("PersistentVolumeClaim", claim).is_some(), "{claim}");
                }
            }
            for container in containers(template) {
                for mount in container["volumeMounts"].as_array().unwrap() {
                    assert!(volumes.iter().any(|volume| volume["name"] == mount["name"]), "{mount}");
                }
                for variable in container["env"].as_array().unwrap() {
                    let Some(key) = variable.pointer("/valueFrom/secretKeyRef") else { continue };
                    let secret = named("Secret", &key["name"]).unwrap();
                    let there = secret["data"].get(key["key"].as_str().unwrap()).is_some();
                    assert!(there || key["optional"] == true, "{key}");
                }
            }
        }
    }
}

#[test]
fn no_object_but_a_secret_contains_a_password() {
    for object in every_stack().iter().flat_map(objects).filter(|object| object["kind"] != "Secret") {
        let text = object.to_string();
        for password in ["superuser-password", "app-password", "p w"] {
            assert!(!text.contains(password), "{}", object["kind"]);
        }
    }
}

#[test]
fn a_stack_without_credentials_keeps_job_and_deployment_as_they_are() {
    let mut observed = Observed::default();
    observed.referenced.external = Lookup::Missing("pg".into());
    let stack = resolved_from(EXTERNAL, &observed);
    assert_eq!(desired(&stack, ManagedResource::MigrationJob), Desired::Keep);
    assert_eq!(desired(&stack, ManagedResource::ApiDeployment), Desired::Keep);
    assert_eq!(stack.findings.len(), 1);
}

#[test]
fn every_expected_name_is_that_of_the_object() {
    for (spec, stack) in [
        (MINIMAL, resolved(MINIMAL)),
        (NFS, resolved(NFS)),
        (SQLITE, resolved(SQLITE)),
        (EXTERNAL, external()),
    ] {
        let todostack = todostack(spec);
        let mut expected = managed::expected(&stack.id, &Requirements::from(&todostack.spec));
        expected.sort();
        let keys = applied(&stack).into_iter().map(|(_, object)| object.key());
        let mut built: Vec<_> = keys.filter(|key| key.kind != Kind::Job).collect();
        built.sort();
        assert_eq!(expected, built, "{spec}");
    }
}

// Names of other objects that an object refers to: Secrets, claims, ServiceAccounts, Services and volumes.
fn references(object: &Value) -> Vec<(&'static str, &Value)> {
    const FIELDS: &[(&str, &[&str])] = &[
        ("secretKeyRef", &["name", "Secret"]),
        ("secret", &["secretName", "Secret"]),
        ("persistentVolumeClaim", &["claimName", "PersistentVolumeClaim"]),
        ("service", &["name", "Service"]),
    ];
    let mut found = Vec::new();
    if let Value::Object(fields) = object {
        for (name, value) in fields {
            match name.as_str() {
                "serviceAccountName" => found.push(("ServiceAccount", value)),
                "serviceName" => found.push(("Service", value)),
                "volumeName" => found.push(("PersistentVolume", value)),
                _ => {}
            }
            for (_, keys) in FIELDS.iter().filter(|(field, _)| field == name) {
                found.extend(value.get(keys[0]).map(|referenced| (keys[1], referenced)));
            }
        }
        found.extend(fields.values().flat_map(references));
    } else if let Value::Array(items) = object {
        found.extend(items.iter().flat_map(references));
    }
    found
}

#[test]
fn an_object_declares_the_managed_objects_that_it_refers_to_and_comes_after_them() {
    for stack in every_stack() {
        let built = applied(&stack);
        for (resource, object) in &built {
            let value = serde_json::to_value(object).unwrap();
            let mut needed: Vec<_> = references(&value)
                .into_iter()
                .filter_map(|(kind, name)| {
                    let is_it = |it: &Object| <&str>::from(it.key().kind) == kind && *name == it.key().name;
                    built.iter().find(|(_, it)| is_it(it)).map(|(needed, _)| *needed)
                })
                .collect();
            // The host in the Secrets of a managed server is its Service.
            let service = built.iter().map(|(it, _)| *it).find(|it| *it == ManagedResource::PostgresService);
            needed.extend(service.filter(|_| needed.contains(&ManagedResource::AppSecret)));
            needed.sort_unstable();
            needed.dedup();
            let mut declared: Vec<_> =
                resource.needs().iter().copied().filter(|it| built.iter().any(|(is, _)| is == it)).collect();
            declared.sort_unstable();
            assert_eq!(needed, declared, "{resource:?}");
            assert!(declared.iter().all(|it| it < resource), "{resource:?} is applied before what it needs");
        }
    }
}
