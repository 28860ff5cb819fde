//! A cluster in memory: an API server that keeps objects, the other controllers, and the operator, whose
//! reconciles a test can interrupt. Requests of a single reconcile are tested with `api_server.rs`.

use std::sync::{Arc, Mutex, MutexGuard};

use kube::runtime::controller::Action;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_stack::{
    config::Config,
    fixtures,
    requirements::{References, Requirements},
};

pub(super) use masked::masked;
pub(super) use references::references;
pub(super) use requests::Request;
pub(super) use server::{Fault, Mutation, Plan, Refusal, Server};

use self::operator::Operator;
use crate::error::Error;

mod controllers;
mod fields;
mod masked;
mod operator;
mod pods;
mod references;
mod requests;
mod server;
mod store;
mod volumes;

// Rounds after which a stack that still changes is taken to change forever.
const ROUNDS: usize = 60;

pub(super) struct Cluster {
    server: Arc<Mutex<Server>>,
    operator: Operator,
}

impl Cluster {
    // With the stack `shop` of this spec and what it references.
    pub(super) fn new(spec: &str) -> Self {
        Self::with(&fixtures::todostack(spec))
    }

    pub(super) fn with(stack: &TodoStack) -> Self {
        let mut server = Server::default();
        let class = |kind: &str, group: &str, annotation: &str| {
            json!({"apiVersion": group, "kind": kind, "metadata": {"name": "standard",
                "annotations": {annotation: "true"}}, "provisioner": "example.com/disks",
                "spec": {"controller": "example.com/ingress"}})
        };
        let storage =
            class("StorageClass", "storage.k8s.io/v1", "storageclass.kubernetes.io/is-default-class");
        let ingress =
            class("IngressClass", "networking.k8s.io/v1", "ingressclass.kubernetes.io/is-default-class");
        server.store.create("storageclasses", storage);
        server.store.create("ingressclasses", ingress);
        for (resource, object) in referenced(stack) {
            server.store.create(resource, object);
        }
        let mut object = serde_json::to_value(stack).unwrap();
        object["metadata"]["name"] = json!("shop");
        server.store.create("todostacks", object);
        let server = Arc::new(Mutex::new(server));
        Self { operator: Operator::start(&server), server }
    }

    // The same, with an operator that reports as in production.
    pub(super) fn as_in_production(spec: &str) -> Self {
        let Self { server, .. } = Self::new(spec);
        server.lock().unwrap().is_quiet = true;
        Self { operator: Operator::start(&server), server }
    }

    // The same objects in another cluster.
    pub(super) fn copy(&self) -> Self {
        let before = self.server();
        let (store, logins) = (before.store.clone(), before.logins.clone());
        drop(before);
        let server = Arc::new(Mutex::new(Server { store, logins, ..Server::default() }));
        Self { operator: Operator::start(&server), server }
    }

    pub(super) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }

    // As a user does with `kubectl patch --type=merge`.
    pub(super) fn patch(&mut self, resource: &str, name: &str, patch: &Value) {
        self.patch_as(("kubectl", None), resource, name, patch);
    }

    // As another client does, with a subresource.
    pub(super) fn patch_as(
        &mut self,
        (manager, subresource): (&str, Option<&str>),
        resource: &str,
        name: &str,
        patch: &Value,
    ) {
        let mut server = self.server.lock().unwrap();
        server.store.update(resource, name, |object| {
            *object = fields::merge_patch(object, patch, manager, subresource);
        });
        self.operator.watch(&server.store);
    }

    // As a user does with `kubectl delete todostack`.
    pub(super) fn delete_stack(&mut self) {
        let mut server = self.server.lock().unwrap();
        server.store.delete("todostacks", "shop");
        self.operator.watch(&server.store);
    }

    pub(super) fn plan(&mut self, plan: Plan) {
        self.server().plan = Some(plan);
    }

    // One reconcile with what the watches have delivered. A killed operator is started again.
    pub(super) async fn reconcile(&mut self) {
        // What an error was is reported by the status, which tests compare.
        drop(self.reconcile_once().await);
        if self.operator.is_killed() {
            self.operator = Operator::start(&self.server);
        }
    }

    // The same with its result. None if the process was killed, or if there is no stack.
    pub(super) async fn reconcile_once(&mut self) -> Option<Result<Action, Error>> {
        self.operator.reconcile("shop").await
    }

    // The watches deliver everything.
    pub(super) fn watch(&mut self) {
        self.operator.watch(&self.server.lock().unwrap().store);
    }

    // The other controllers react, and the watches deliver that.
    pub(super) fn run_controllers(&mut self) {
        let mut server = self.server.lock().unwrap();
        controllers::step(&mut server.store);
        server.check();
        self.operator.watch(&server.store);
    }

    // Lets everything run until nothing changes.
    pub(super) async fn settle(&mut self) {
        self.settles().await.unwrap();
    }

    // The same, or the last writes if it changes forever.
    pub(super) async fn settles(&mut self) -> Result<(), String> {
        let mut unchanged = 0;
        for _ in 0..ROUNDS {
            let before = self.server().store.version();
            self.reconcile().await;
            self.run_controllers();
            unchanged = if self.server().store.version() == before { unchanged + 1 } else { 0 };
            // The first one may have had a fault.
            if unchanged == 2 {
                return Ok(());
            }
        }
        let server = self.server();
        let last: Vec<_> = server.writes.iter().rev().take(4).map(Request::describe).collect();
        Err(format!("it changes forever; the last writes: {last:?}"))
    }

    // The end state, after which everything that must hold at every moment has held.
    pub(super) async fn end_state(&mut self) -> Vec<String> {
        self.settle().await;
        let server = self.server();
        assert!(server.violations.is_empty(), "{:#?}", server.violations);
        masked(&server.store)
    }

    pub(super) fn condition(&self, kind: &str) -> Value {
        self.condition_of("shop", kind)
    }
}

// Several stacks, and an operator that is replaced.
impl Cluster {
    pub(super) fn add(&mut self, name: &str, spec: &str) {
        let mut stack = serde_json::to_value(fixtures::todostack(spec)).unwrap();
        stack["metadata"]["name"] = json!(name);
        self.server().store.create("todostacks", stack);
        self.watch();
    }

    // One reconcile of the stack; an error fails the test.
    pub(super) async fn reconcile_stack(&mut self, name: &str) {
        self.operator.reconcile(name).await.unwrap().unwrap();
    }

    // Another process takes over, perhaps of another version or with other settings.
    pub(super) fn replace_operator(&mut self, config: Option<Config>) {
        if config.is_some() {
            self.server().config = config;
        }
        self.operator = Operator::start(&self.server);
    }

    pub(super) fn operator(&mut self) -> &mut Operator {
        &mut self.operator
    }

    pub(super) fn condition_of(&self, stack: &str, kind: &str) -> Value {
        let server = self.server();
        let stack = server.store.get("todostacks", stack).unwrap();
        let conditions = stack["status"]["conditions"].as_array().unwrap();
        conditions.iter().find(|condition| condition["type"] == kind).cloned().unwrap()
    }
}

// What a spec references, with content that is valid.
fn referenced(stack: &TodoStack) -> Vec<(&'static str, Value)> {
    let References { credentials, external, tls, init_scripts, jwks_ca, storage_class: _, ingress_class: _ } =
        Requirements::from(&stack.spec).references;
    let metadata = |name: &str| json!({"name": name});
    let secret = |name: &str, keys: &[(&str, &str)]| {
        let encode = |text: &str| serde_json::to_value(k8s_openapi::ByteString(text.into())).unwrap();
        let data: serde_json::Map<_, _> =
            keys.iter().map(|(key, value)| ((*key).to_owned(), encode(value))).collect();
        let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata(name), "data": data});
        ("secrets", object)
    };
    let login = [("username", "shop"), ("password", "p"), ("host", "pg"), ("dbname", "shop")];
    let mut objects = Vec::new();
    objects.extend(credentials.map(|name| secret(name, &login)));
    objects.extend(external.map(|name| secret(name, &login)));
    objects.extend(tls.map(|name| secret(name, &[("tls.crt", "none"), ("tls.key", "none")])));
    objects.extend(init_scripts.into_iter().chain(jwks_ca).map(|name| {
        ("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name)}))
    }));
    objects
}
