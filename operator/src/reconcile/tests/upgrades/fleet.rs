//! Stacks in one cluster in memory, reconciled as the controller does: when one of their objects changes, and
//! when the operator says so. After every step, what is rolled out is counted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use todostack_stack::config::Config;

use super::super::cluster::{Cluster, Refusal};
use crate::upgrades::Limits;

// Steps after which a fleet that still changes is taken to change forever.
const STEPS: usize = 400;

// The most that was rolled out at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Most {
    pub(super) databases: usize,
    pub(super) apis: usize,
}

pub(super) struct Fleet {
    pub(super) cluster: Cluster,
    names: Vec<String>,
    pub(super) most: Most,
    pub(super) reconciles: usize,
    pub(super) woken: usize,
    // Reconciles after which the operator's process ends.
    pub(super) ends_after: Option<usize>,
    // Versions of the objects that were last acted upon.
    seen: BTreeMap<(String, String), String>,
}

impl Fleet {
    // `shop`, `shop-1` and so on, all Ready.
    pub(super) async fn ready(stacks: usize, limits: Limits) -> Self {
        let mut cluster = Cluster::new("{}");
        cluster.server().limits = Some(limits);
        cluster.replace_operator(None);
        let names: Vec<_> = (0..stacks)
            .map(|index| if index == 0 { "shop".into() } else { format!("shop-{index}") })
            .collect();
        for name in &names[1..] {
            cluster.add(name, "{}");
        }
        let mut fleet = Self::new(cluster, names);
        fleet.run().await;
        for name in &fleet.names {
            let ready = fleet.cluster.condition_of(name, "Ready");
            assert_eq!(ready["status"], "True", "{name}: {ready}");
        }
        fleet.most = Most::default();
        fleet.reconciles = 0;
        fleet
    }

    fn new(cluster: Cluster, names: Vec<String>) -> Self {
        let (most, seen) = (Most::default(), BTreeMap::new());
        Self { cluster, names, most, reconciles: 0, woken: 0, ends_after: None, seen }
    }

    pub(super) fn copy(&self) -> Self {
        let fleet = Self::new(self.cluster.copy(), self.names.clone());
        fleet.cluster.server().limits = self.cluster.server().limits;
        fleet
    }

    // Another operator takes over, and all follow it.
    pub(super) async fn upgrade(&mut self, config: Config) {
        self.take_over(Some(config));
        self.run().await;
    }

    // A process that starts reconciles all stacks.
    pub(super) fn take_over(&mut self, config: Option<Config>) {
        self.cluster.replace_operator(config);
        self.seen.clear();
    }

    pub(super) async fn reconcile(&mut self, name: &str) {
        self.reconciles += 1;
        self.cluster.reconcile_stack(name).await;
        self.count();
        if self.ends_after == Some(self.reconciles) {
            self.take_over(None);
        }
    }

    pub(super) async fn reconcile_all(&mut self) {
        for name in self.names.clone() {
            self.reconcile(&name).await;
        }
        self.seen = self.versions().into_iter().map(|(object, (_, version))| (object, version)).collect();
    }

    // Until nothing changes.
    pub(super) async fn run(&mut self) {
        for _ in 0..STEPS {
            let changed = self.changed();
            let turns = self.cluster.operator().turns();
            self.woken += turns.len();
            let due: BTreeSet<_> = changed.into_iter().chain(turns).collect();
            let before = self.cluster.server().store.version();
            for name in &due {
                self.reconcile(name).await;
            }
            self.cluster.run_controllers();
            self.count();
            if due.is_empty() && self.cluster.server().store.version() == before {
                return;
            }
        }
        panic!("it changes forever");
    }

    // Stack and version of each object that belongs to a stack.
    fn versions(&self) -> BTreeMap<(String, String), (String, String)> {
        let server = self.cluster.server();
        let of_object = |(resource, object): (&str, &Value)| {
            let metadata = &object["metadata"];
            let name = metadata["name"].as_str()?;
            let stack = if resource == "todostacks" {
                Some(name)
            } else {
                metadata["labels"]["todostack.dev/stack"].as_str()
            };
            // A status starts no reconcile.
            let version = if resource == "todostacks" {
                format!("{}{}", metadata["generation"], metadata["annotations"])
            } else {
                metadata["resourceVersion"].as_str()?.to_owned()
            };
            Some(((resource.to_owned(), name.to_owned()), (stack?.to_owned(), version)))
        };
        server.store.all().filter_map(of_object).collect()
    }

    fn changed(&mut self) -> BTreeSet<String> {
        let versions = self.versions();
        let mut changed = BTreeSet::new();
        for (object, (stack, version)) in versions {
            if self.seen.insert(object, version.clone()) != Some(version) {
                changed.insert(stack);
            }
        }
        changed.retain(|stack| self.names.contains(stack));
        changed
    }

    fn count(&mut self) {
        let server = self.cluster.server();
        let is_behind = |object: &Value| {
            object["status"]["observedGeneration"].as_u64() < object["metadata"]["generation"].as_u64()
        };
        let sets = server.store.list("statefulsets").filter(|set| {
            is_behind(set) || set["status"]["readyReplicas"] != 1 || set["status"]["updatedReplicas"] != 1
        });
        let mut apis = BTreeSet::new();
        for job in server.store.list("jobs").filter(|job| job["status"].get("conditions").is_none()) {
            apis.insert(job["metadata"]["labels"]["todostack.dev/stack"].clone().to_string());
        }
        for deployment in server.store.list("deployments") {
            let status = &deployment["status"];
            if is_behind(deployment)
                || status["unavailableReplicas"] != 0
                || status["updatedReplicas"] != status["replicas"]
            {
                apis.insert(deployment["metadata"]["labels"]["todostack.dev/stack"].clone().to_string());
            }
        }
        self.most.databases = self.most.databases.max(sets.count());
        self.most.apis = self.most.apis.max(apis.len());
    }

    // How many objects have which image.
    pub(super) fn images(&self, resource: &str) -> BTreeMap<String, usize> {
        let server = self.cluster.server();
        let mut images = BTreeMap::new();
        for object in server.store.list(resource) {
            let image = object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
            *images.entry(image.to_owned()).or_default() += 1;
        }
        images
    }

    pub(super) fn generation(&self, resource: &str, name: &str) -> u64 {
        self.cluster.server().store.get(resource, name).unwrap()["metadata"]["generation"].as_u64().unwrap()
    }

    // The API server rejects each write of the object.
    pub(super) fn refuse(&mut self, resource: &str, name: &str) {
        let (resource, name) = (resource.to_owned(), name.to_owned());
        self.cluster.server().refusal = Some(Refusal { resource, name, code: 403, reason: "Forbidden" });
    }
}
