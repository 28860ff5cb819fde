//! Snapshots of all children of four stacks, and what must hold for every object of every stack.

use rstest::rstest;
use serde_json::Value;

use super::*;
use crate::fixtures::{resolved, resolved_from};

const MINIMAL: &str = "{}";
const NFS: &str = "
deletionPolicy: Delete
api:
  replicas: 3
  logLevel: debug
  image: registry.example.com/api:2
  cors: {allowedOrigins: [https://app.example.com, https://other.example.com]}
  rateLimit: {requestsPerSecond: 50, burst: 100}
  auth: {jwt: {issuer: https://id.example.com, audience: todos, jwksUrl: https://id.example.com/keys}}
database:
  postgres:
    version: '17'
    storage: {size: 5Gi, nfs: {server: nfs.example.com, path: /exports/shop}}
    parameters: {max_connections: '200'}
    initScripts: {configMap: {name: seed}}
    nodeSelector: {disk: fast}
    tolerations: [{key: database, operator: Exists}]
exposure: {host: shop.example.com, ingress: {className: traefik, annotations: {a: b}, tls: {secretName: shop-tls}}}
";
const SQLITE: &str = "database: {sqlite: {storage: {storageClassName: fast}}}";
const EXTERNAL: &str = "database: {external: {secret: {name: pg}}}";

fn external() -> Stack {
    let data = [("host", "pg.example.com"), ("dbname", "shop"), ("username", "shop"), ("password", "p w\n")];
    let secret = Secret {
        metadata: kube::api::ObjectMeta { name: Some("pg".into()), ..Default::default() },
        data: Some(data.map(|(k, v)| (k.to_owned(), k8s_openapi::ByteString(v.into()))).into()),
        ..Secret::default()
    };
    let mut observed = crate::observe::Observed::default();
    observed.referenced.external = crate::observe::Lookup::Found(Box::new(secret));
    resolved_from(EXTERNAL, &observed)
}

fn values<K: serde::Serialize>(wish: Wish<K>) -> Option<Value> {
    match wish {
        Wish::Apply(object) => Some(serde_json::to_value(object).unwrap()),
        Wish::Leave | Wish::Remove(_) => None,
    }
}

fn objects(stack: &Stack) -> Vec<Value> {
    let Resources {
        service_account,
        superuser_secret,
        app_secret,
        volume,
        claim,
        database_service,
        stateful_set,
        migration,
        api_service,
        deployment,
        ingress,
    } = build(stack);
    [
        values(service_account),
        values(superuser_secret),
        values(app_secret),
        values(volume),
        values(claim),
        values(database_service),
        values(stateful_set),
        values(migration),
        values(api_service),
        values(deployment),
        values(ingress),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn every_stack() -> [Stack; 4] {
    [resolved(MINIMAL), resolved(NFS), resolved(SQLITE), external()]
}

#[rstest]
#[case::minimal("minimal", resolved(MINIMAL))]
#[case::nfs("nfs", resolved(NFS))]
#[case::sqlite("sqlite", resolved(SQLITE))]
#[case::external("external", external())]
fn the_children_of_a_stack_are_these(#[case] name: &str, #[case] stack: Stack) {
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
fn every_object_carries_the_labels_that_watches_select_by() {
    for object in every_stack().iter().flat_map(objects) {
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], "todostack-operator", "{object}");
        assert_eq!(labels["todostack.dev/stack"], "shop", "{object}");
        assert_eq!(labels["todostack.dev/namespace"], "shops", "{object}");
        assert_eq!(labels["app.kubernetes.io/instance"], "shop", "{object}");
    }
}

#[test]
fn data_and_credentials_are_owned_only_when_they_go_with_the_stack() {
    let owned = |stack: &Stack| -> Vec<(String, bool)> {
        let mut all: Vec<_> = objects(stack)
            .iter()
            .map(|o| (o["kind"].as_str().unwrap().to_owned(), o["metadata"]["ownerReferences"].is_array()))
            .collect();
        all.sort();
        all.dedup();
        all
    };
    let kept = ["PersistentVolumeClaim", "Secret"];
    for (kind, is_owned) in owned(&resolved(MINIMAL)) {
        assert_eq!(is_owned, !kept.contains(&kind.as_str()), "{kind} under Retain");
    }
    for (kind, is_owned) in owned(&resolved(NFS)) {
        assert_eq!(is_owned, kind != "PersistentVolume", "{kind} under Delete");
    }
}

#[test]
fn every_selector_selects_its_own_pods() {
    for object in every_stack().iter().flat_map(objects) {
        let (Some(selector), Some(template)) =
            (object.pointer("/spec/selector/matchLabels"), pod_templates(&object))
        else {
            continue;
        };
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&template["metadata"]["labels"][key], value, "{}", object["metadata"]["name"]);
        }
    }
}

#[test]
fn every_pod_keeps_the_restricted_profile() {
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

#[test]
fn every_secret_key_claim_and_volume_that_a_pod_names_is_there() {
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
fn no_password_stands_outside_of_a_secret() {
    for object in every_stack().iter().flat_map(objects).filter(|object| object["kind"] != "Secret") {
        let text = object.to_string();
        for password in ["superuser-password", "app-password", "p w"] {
            assert!(!text.contains(password), "{}", object["kind"]);
        }
    }
}

#[test]
fn a_stack_without_its_login_leaves_job_and_deployment_as_they_are() {
    let mut observed = crate::observe::Observed::default();
    observed.referenced.external = crate::observe::Lookup::Missing("pg".into());
    let stack = resolved_from(EXTERNAL, &observed);
    let resources = build(&stack);
    assert_eq!((resources.migration, resources.deployment), (Wish::Leave, Wish::Leave));
    assert_eq!(stack.blockers.len(), 1);
}

#[test]
fn an_export_that_another_stack_uses_is_not_touched() {
    let observed = crate::observe::Observed { rival: Some("shops/first".into()), ..Default::default() };
    let resources = build(&resolved_from(NFS, &observed));
    assert_eq!(resources.volume, Wish::Leave);
    assert_eq!(resources.claim, Wish::Leave);
    assert_eq!(resources.stateful_set, Wish::Leave);
}
