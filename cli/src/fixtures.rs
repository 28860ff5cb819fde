//! Literals for tests: a stack called `shop` with Postgres on NFS, as a cluster would give it; each test changes what it
//! is about.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_operator::{args::Config, names};

use crate::{
    examine::{self, Examined},
    gaps::Gap,
    observed,
    read::{Lists, single::Named},
    report::Report,
};

const IMAGE: &str = "registry.example.com/api:1";
const REVISION: &str = "r1";
/// A password that no output may have.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

/// 2026-11-21T12:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_262_400).unwrap()
}

pub(crate) fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// What one test looks at.
pub(crate) struct Scene {
    pub(crate) stack: TodoStack,
    pub(crate) lists: Lists,
    pub(crate) named: Named,
    pub(crate) events: Vec<Value>,
    pub(crate) gaps: Vec<Gap>,
}

impl Scene {
    pub(crate) fn report(self) -> Report {
        let Self { stack, lists, named, events, gaps } = self;
        let mut seen = observed::observed(&stack, &lists, named);
        seen.events = events.into_iter().map(object).collect();
        observed::stand_in(&stack, &gaps, &mut seen);
        let config = config();
        let examined = Examined { stack: &stack, seen: &seen, gaps: &gaps, config: &config, now: now() };
        examine::examine(examined).unwrap()
    }

    pub(crate) fn resolved(self) -> todostack_operator::stack::Stack {
        let Self { stack, lists, named, events: _, gaps } = self;
        let seen = observed::observed(&stack, &lists, named);
        let config = config();
        examine::resolved(Examined { stack: &stack, seen: &seen, gaps: &gaps, config: &config, now: now() })
            .unwrap()
    }

    /// Says of one condition what the operator published.
    pub(crate) fn publish(&mut self, kind: &str, status: &str, (reason, message): (&str, &str)) {
        let published = self.stack.status.get_or_insert_default();
        published.conditions.retain(|condition| condition.type_ != kind);
        published.conditions.push(object(json!({
            "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now(),
        })));
    }
}

fn config() -> Config {
    Config {
        api_image: IMAGE.to_owned(),
        postgres_repository: "docker.io/library/postgres".to_owned(),
        cluster_domain: "cluster.local".to_owned(),
        http_port: 80,
        https_port: 443,
    }
}

fn metadata(name: &str, component: &str) -> Value {
    json!({"name": name, "namespace": "shops", "uid": format!("uid-{name}"), "generation": 1, "labels": {
        "app.kubernetes.io/managed-by": "todostack-operator",
        "app.kubernetes.io/component": component,
        "todostack.dev/stack": "shop",
        "todostack.dev/namespace": "shops",
    }})
}

fn child<K: DeserializeOwned>(name: &str, component: &str, rest: Value) -> Arc<K> {
    let Value::Object(mut fields) = rest else { panic!("an object") };
    fields.insert("metadata".to_owned(), metadata(name, component));
    Arc::new(object(Value::Object(fields)))
}

fn stack() -> TodoStack {
    let created = now() - SignedDuration::from_mins(7);
    object(json!({
        "apiVersion": "todostack.dev/v1alpha1",
        "kind": "TodoStack",
        "metadata": {
            "name": "shop", "namespace": "shops", "uid": "11111111-2222-3333-4444-555555555555", "generation": 1,
            "creationTimestamp": created,
        },
        "spec": {
            "database": {"postgres": {"storage": {"nfs": {"server": "nfs.example.com", "path": "/exports/shop"}}}},
            "exposure": {"host": "shop.example.com"},
        },
        "status": {"observedGeneration": 1, "url": "http://shop.example.com/todos"},
    }))
}

fn secret(name: &str, role: &str) -> Arc<k8s_openapi::api::core::v1::Secret> {
    use k8s_openapi::ByteString;
    let values = [
        ("username", role),
        ("password", PASSWORD),
        ("dbname", role),
        ("host", "shop-db.shops.svc.cluster.local"),
        ("port", "5432"),
        ("revision", REVISION),
    ];
    let data: std::collections::BTreeMap<_, _> =
        values.into_iter().map(|(key, value)| (key, ByteString(value.as_bytes().to_vec()))).collect();
    child(name, "database", json!({"data": data}))
}

fn pod_status(ready: bool) -> Value {
    json!({
        "phase": "Running",
        "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Ready", "status": if ready { "True" } else { "False" }},
        ],
        "containerStatuses": [{
            "name": "c", "image": IMAGE, "imageID": "", "ready": ready, "restartCount": 0,
            "started": true, "containerID": "containerd://1", "state": {"running": {}},
        }],
    })
}

/// A pod; its node and images are the same for all.
pub(crate) fn pod(name: &str, component: &str, status: &Value) -> Arc<k8s_openapi::api::core::v1::Pod> {
    let spec = json!({"nodeName": "node1", "containers": [{"name": "c", "image": IMAGE}]});
    child(name, component, json!({"spec": spec, "status": status}))
}

/// A stack that serves.
pub(crate) fn well() -> Scene {
    let mut scene = Scene {
        stack: stack(),
        lists: lists(),
        named: Named::default(),
        events: Vec::new(),
        gaps: Vec::new(),
    };
    for kind in
        ["CredentialsValid", "StorageReady", "DatabaseReady", "MigrationsApplied", "ApiAvailable", "Exposed"]
    {
        scene.publish(kind, "True", ("AsExpected", "so the operator says"));
    }
    scene.publish("Ready", "True", ("AsExpected", "Serving at http://shop.example.com/todos"));
    scene
}

fn lists() -> Lists {
    let volume = names::volume("shops", "shop");
    let migration = names::migration("shop", IMAGE, REVISION);
    let mut job_pod = pod(&format!("{migration}-x7k2p"), "migration", &json!({"phase": "Succeeded"}));
    Arc::make_mut(&mut job_pod).labels_mut().insert("job-name".to_owned(), migration.clone());
    Lists {
        secrets: vec![secret("shop-db-superuser", "postgres"), secret("shop-db-app", "todo")],
        services: vec![
            child("shop-db", "database", json!({"spec": {"clusterIP": "None"}})),
            child("shop-api", "api", json!({"spec": {"type": "ClusterIP"}})),
        ],
        service_accounts: vec![child("shop", "api", json!({}))],
        claims: vec![child(
            "shop-db",
            "database",
            json!({
                "spec": {"volumeName": volume}, "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
            }),
        )],
        volumes: vec![child(
            &volume,
            "database",
            json!({
                "spec": {"nfs": {"server": "nfs.example.com", "path": "/exports/shop"}}, "status": {"phase": "Bound"},
            }),
        )],
        stateful_sets: vec![child(
            "shop-db",
            "database",
            json!({
                "spec": {"replicas": 1, "selector": {}, "serviceName": "shop-db", "template": {}},
                "status": {"replicas": 1, "readyReplicas": 1},
            }),
        )],
        deployments: vec![deployment()],
        jobs: vec![job(&migration)],
        ingresses: vec![child(
            "shop",
            "exposure",
            json!({
                "spec": {"ingressClassName": "traefik", "rules": [{"host": "shop.example.com"}]},
                "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            }),
        )],
        pods: vec![
            pod("shop-api-5d9c7b-4xkzq", "api", &pod_status(true)),
            pod("shop-api-5d9c7b-tm2jv", "api", &pod_status(true)),
            pod("shop-db-0", "database", &pod_status(true)),
            job_pod,
        ],
        ingress_classes: vec![Arc::new(object(json!({"metadata": {
            "name": "traefik", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        }})))],
        ..Lists::default()
    }
}

fn deployment() -> Arc<k8s_openapi::api::apps::v1::Deployment> {
    let mut deployment: Arc<k8s_openapi::api::apps::v1::Deployment> = child(
        "shop-api",
        "api",
        json!({
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2},
        }),
    );
    Arc::make_mut(&mut deployment).annotations_mut().extend([
        ("todostack.dev/released-image".to_owned(), IMAGE.to_owned()),
        ("todostack.dev/released-revision".to_owned(), REVISION.to_owned()),
    ]);
    deployment
}

fn job(name: &str) -> Arc<k8s_openapi::api::batch::v1::Job> {
    let mut job: Arc<k8s_openapi::api::batch::v1::Job> = child(
        name,
        "migration",
        json!({
            "status": {"conditions": [{"type": "Complete", "status": "True"}]},
        }),
    );
    Arc::make_mut(&mut job).annotations_mut().insert("todostack.dev/api-image".to_owned(), IMAGE.to_owned());
    job
}

/// The same stack when its export is not there: nothing has ever run.
pub(crate) fn without_export() -> Scene {
    let mut scene = well();
    let waiting = json!({
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [{
            "name": "postgres", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ContainerCreating"}},
        }],
    });
    let Lists { jobs, pods, stateful_sets, deployments, .. } = &mut scene.lists;
    *pods = vec![
        pod("shop-api-5d9c7b-4xkzq", "api", &pod_status(false)),
        pod("shop-api-5d9c7b-tm2jv", "api", &pod_status(false)),
        pod("shop-db-0", "database", &waiting),
    ];
    *stateful_sets = vec![child(
        "shop-db",
        "database",
        json!({
            "spec": {"replicas": 1, "selector": {}, "serviceName": "shop-db", "template": {}}, "status": {"replicas": 1},
        }),
    )];
    for deployment in deployments {
        let status =
            json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "unavailableReplicas": 2});
        Arc::make_mut(deployment).status = Some(object(status));
    }
    for job in jobs {
        Arc::make_mut(job).status = None;
    }
    scene.events.push(json!({
        "metadata": {}, "type": "Warning", "reason": "FailedMount",
        "involvedObject": {"kind": "Pod", "name": "shop-db-0", "namespace": "shops"},
        "message": "MountVolume.SetUp failed for volume \"todostack-shops-shop\" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs -o hard,nfsvers=4.1 nfs.example.com:/exports/shop /var/lib/kubelet/pods/x\nOutput: mount.nfs: mounting nfs.example.com:/exports/shop failed, reason given by server: No such file or directory\n",
    }));
    for kind in ["StorageReady", "DatabaseReady", "MigrationsApplied", "ApiAvailable"] {
        scene.publish(kind, "False", ("Progressing", "so the operator says"));
    }
    scene.publish("Ready", "False", ("Progressing", "so the operator says"));
    scene
}
