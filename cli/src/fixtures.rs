//! Literals for tests: a stack called `shop` with Postgres on NFS. A test starts from `well()` and says what
//! differs. The objects themselves are in `fixtures/objects.rs`.

use jiff::SignedDuration;
use k8s_openapi::{
    api::core::v1::{Event, Secret},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{ResourceExt as _, api::ObjectMeta};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;
use todostack_crds::{ConditionType, TodoStack};
use todostack_stack::{
    credentials::GeneratedSecrets,
    fixtures,
    labels::Component,
    managed::{Key, Kind},
    observed::{Listing, Lookup, Observed, Referenced},
    part::Part,
    requirements::Requirements,
    resolve::{Inputs, resolve},
    stack::Stack,
    stack_ref::StackRef,
};

use self::objects::{change, pod, running};
use crate::{examine, forbidden::Forbidden, placeholders, report::Report, snapshot::Snapshot};

pub(crate) use fixtures::now;

mod objects;

const SPEC: &str = "{database: {postgres: {storage: {nfs: {server: nfs.example.com, path: /exports/shop}}}}, \
                    exposure: {host: shop.example.com}}";
// A password that no output may contain.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

pub(crate) fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

// A stack and what the cluster holds of it.
pub(crate) struct Scene {
    todostack: TodoStack,
    // As `SPEC` resolves.
    stack: Stack,
    listing: Listing,
    // Objects without the labels that LIST selects by.
    unlisted: Vec<(Key, ObjectMeta)>,
    referenced: Referenced,
    events: Vec<Event>,
    forbidden: Vec<Forbidden>,
}

pub(crate) fn well() -> Scene {
    let mut todostack = fixtures::todostack(SPEC);
    todostack.metadata.creation_timestamp = Some(Time(now() - SignedDuration::from_mins(7)));
    todostack.status = Some(object(json!({"observedGeneration": 1, "url": "http://shop.example.com/todos"})));
    let generated = GeneratedSecrets {
        superuser_password: PASSWORD.to_owned(),
        app_password: PASSWORD.to_owned(),
        revision: "r1".to_owned(),
    };
    let (observed, config) = (Observed::default(), fixtures::config());
    let inputs =
        Inputs { observed: &observed, generated: &generated, config: &config, rotate: None, now: now() };
    let stack = resolve(&todostack, inputs).unwrap();
    let mut scene = Scene {
        todostack,
        listing: objects::ready(&stack),
        stack,
        unlisted: Vec::new(),
        referenced: Referenced::default(),
        events: Vec::new(),
        forbidden: Vec::new(),
    };
    for part in Part::iter() {
        scene = scene.publishing(part.condition(), "True", "AsExpected", "as the operator reported");
    }
    let message = "Serving at http://shop.example.com/todos";
    scene.publishing(ConditionType::Ready, "True", "AsExpected", message)
}

impl Scene {
    // The export does not exist: no container has ever run.
    pub(crate) fn without_export(self) -> Self {
        let mut scene = self.with_unready_api();
        scene.listing.pods = vec![
            pod(&scene.stack, "shop-api-5d9c7b-4xkzq", Component::Api, &running(false)),
            pod(&scene.stack, "shop-api-5d9c7b-tm2jv", Component::Api, &running(false)),
            pod(&scene.stack, "shop-db-0", Component::Database, &objects::creating()),
        ];
        change(&mut scene.listing.managed.stateful_sets, |set| {
            set.status = Some(object(json!({"replicas": 1})));
        });
        change(&mut scene.listing.managed.jobs, |job| job.status = None);
        scene.events.push(object(objects::failed_mount()));
        for part in [Part::Storage, Part::Database, Part::Migrations, Part::Api, Part::Objects] {
            scene = scene.publishing(part.condition(), "False", "Progressing", "as the operator reported");
        }
        scene
    }

    pub(crate) fn without_events(mut self) -> Self {
        self.events.clear();
        self
    }

    // The only pod of the API is crash-looping.
    pub(crate) fn with_crash_looping_api(self) -> Self {
        let mut scene = self.with_unready_api();
        let status = objects::crash_looping();
        scene.listing.pods = vec![pod(&scene.stack, "shop-api-5d9c7b-4xkzq", Component::Api, &status)];
        scene
    }

    fn with_unready_api(mut self) -> Self {
        change(&mut self.listing.managed.deployments, |deployment| {
            let status = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "unavailableReplicas": 2});
            deployment.status = Some(object(status));
        });
        self
    }

    // The API has the image of an earlier version of the operator, and serves.
    pub(crate) fn with_earlier_api(mut self) -> Self {
        let image = "registry.example.com/api:0";
        self.listing.managed.jobs.clear();
        change(&mut self.listing.managed.deployments, |deployment| {
            let annotations = deployment.metadata.annotations.get_or_insert_default();
            annotations.insert("todostack.dev/released-image".to_owned(), image.to_owned());
        });
        let migrations = json!({"image": image, "revision": "r1", "completionTime": now()});
        self.todostack.status.get_or_insert_default().migrations = Some(object(migrations));
        self
    }

    pub(crate) fn without_claim(mut self) -> Self {
        self.listing.managed.claims.clear();
        self.listing.managed.volumes.clear();
        self
    }

    pub(crate) fn without_ingress_classes(mut self) -> Self {
        self.listing.ingress_classes.clear();
        self
    }

    // The Service of the API exists, and is not managed by the operator.
    pub(crate) fn with_foreign_service(mut self) -> Self {
        let key = Key { kind: Kind::Service, name: "shop-api".to_owned() };
        self.listing.managed.services.retain(|service| service.name_any() != key.name);
        self.unlisted.push((key, ObjectMeta::default()));
        self
    }

    // Another spec, and the objects of the former one. The volume of a stack cannot change: without a
    // database, the spec keeps that of the former one.
    pub(crate) fn with_spec(mut self, spec: Value) -> Self {
        let database = self.todostack.spec.database.take();
        self.todostack.spec = object(spec);
        self.todostack.spec.database = self.todostack.spec.database.or(database);
        self
    }

    // A generation that the status may lack.
    pub(crate) fn with_generation(mut self, generation: i64) -> Self {
        self.todostack.metadata.generation = Some(generation);
        self
    }

    // The Secret of `spec.database.external.secret`.
    pub(crate) fn with_external_secret(mut self, secret: Secret) -> Self {
        self.referenced.external = Lookup::Found(Box::new(secret));
        self
    }

    pub(crate) fn without_permission_to_list_secrets(mut self) -> Self {
        self.listing.managed.secrets.clear();
        self.forbidden.push(Forbidden::Managed(Kind::Secret));
        self
    }

    pub(crate) fn without_permission_to_list_classes(mut self) -> Self {
        self.listing.storage_classes.clear();
        self.listing.ingress_classes.clear();
        self.forbidden.extend([Forbidden::StorageClasses, Forbidden::IngressClasses]);
        self
    }

    pub(crate) fn publishing(
        mut self,
        condition: ConditionType,
        status: &str,
        reason: &str,
        message: &str,
    ) -> Self {
        let conditions = &mut self.todostack.status.get_or_insert_default().conditions;
        conditions.retain(|published| published.type_ != condition.as_str());
        conditions.push(object(json!({
            "type": condition.as_str(), "status": status, "reason": reason, "message": message,
            "lastTransitionTime": now(),
        })));
        self
    }

    pub(crate) fn snapshot(self) -> Snapshot {
        let Self { todostack, stack: _, listing, unlisted, referenced, events, forbidden } = self;
        let id = StackRef::try_from(&todostack).unwrap();
        let requirements = Requirements::from(&todostack.spec);
        let mut observed = Observed { referenced, events, ..Observed::new(&id, &requirements, &listing) };
        for (key, metadata) in unlisted {
            observed.add_unlisted(&id, key, metadata);
        }
        placeholders::add(&mut observed, Requirements::from(&todostack.spec).references, &forbidden);
        Snapshot { stack: todostack, observed, forbidden, config: fixtures::config() }
    }

    pub(crate) fn report(self) -> Report {
        examine::examine(&self.snapshot(), now()).unwrap()
    }

    pub(crate) fn resolved(self) -> Stack {
        examine::resolve(&self.snapshot(), now()).unwrap()
    }
}
