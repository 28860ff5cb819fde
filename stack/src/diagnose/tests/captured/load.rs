//! Loading a capture, and the observed state that the operator would have put together from its objects.

use std::{fs, path::Path, sync::Arc};

use k8s_openapi::{
    ByteString, NamespaceResourceScope,
    api::{
        core::v1::{ConfigMap, Event, PersistentVolume, Secret},
        networking::v1::IngressClass,
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;
use todostack_crds::{FIELD_MANAGER, TodoStack};

use crate::{
    config::Config,
    fixtures, labels,
    managed::{Key, KindVisitor, ManagedKind, ManagedObjects, visit_kinds},
    observed::{Listing, Lookup, Observed, Referenced, conflicts::Neighbors, subjects::subjects},
    prune,
    requirements::{References, Requirements},
    resolve::{Inputs, resolve},
    resources::login_secret,
    stack::Stack,
    stack_ref::StackRef,
};

pub(super) struct Capture {
    // `REASON` or `REASON-CASE`.
    pub(super) name: String,
    pub(super) moment: jiff::Timestamp,
    api_image: String,
    stack: TodoStack,
    objects: Vec<Value>,
}

pub(super) fn all() -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnose/captured");
    let mut captures: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| Capture::read(&entry.unwrap().path())).collect();
    captures.sort_by(|one, two| one.name.cmp(&two.name));
    captures
}

impl Capture {
    fn read(path: &Path) -> Self {
        let mut list: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let annotation = |what: &str| {
            let value = list["metadata"]["annotations"][format!("todostack.dev/{what}")].as_str();
            value.unwrap_or_else(|| panic!("{}: {what}", path.display())).to_owned()
        };
        let (moment, name, api_image) =
            (annotation("captured-at"), annotation("stack"), annotation("api-image"));
        let Value::Array(objects) = list["items"].take() else { panic!("{}: no items", path.display()) };
        let is = |object: &&Value| object["kind"] == "TodoStack" && object["metadata"]["name"] == *name;
        let stack = objects.iter().find(is).unwrap_or_else(|| panic!("{}: no stack", path.display()));
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            moment: moment.parse().unwrap(),
            api_image,
            stack: serde_json::from_value(stack.clone()).unwrap(),
            objects,
        }
    }

    pub(super) fn reason(&self) -> &str {
        self.name.split('-').next().unwrap()
    }

    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.objects.len()).collect()
    }

    // The stack, resolved with the settings of that cluster.
    pub(super) fn resolved(&self, observed: &Observed) -> Stack {
        let config = Config { api_image: self.api_image.clone(), ..fixtures::config() };
        let generated = fixtures::generated();
        let now = self.moment;
        resolve(&self.stack, Inputs { observed, generated: &generated, config: &config, rotate: None, now })
            .unwrap()
    }

    // Every secret value: name of the Secret, key, value.
    pub(super) fn secret_values(&self) -> Vec<(String, String, Vec<u8>)> {
        let mut values = Vec::new();
        for secret in self.of_kind::<Secret>(&self.all()) {
            for (key, ByteString(value)) in secret.data.clone().unwrap_or_default() {
                if !login_secret::PUBLIC_KEYS.contains(&key.as_str()) {
                    values.push((secret.name_any(), key, value));
                }
            }
        }
        values
    }

    // What the operator would have observed of those objects.
    pub(super) fn observed(&self, numbers: &[usize]) -> Observed {
        let id = StackRef::try_from(&self.stack).unwrap();
        let requirements = Requirements::from(&self.stack.spec);
        let listing = self.listing(numbers);
        let mut observed = Observed::new(&id, &requirements, &listing);
        let name = observed.data_volume_name(&self.stack).map(str::to_owned);
        let mut data_volumes = self.of_kind::<PersistentVolume>(numbers).into_iter();
        observed.data_volume = data_volumes.find(|it| it.metadata.name == name).map(Arc::new);
        // A capture masks values, which would otherwise look like an edit of credentials that no Job is for.
        for secret in [&mut observed.superuser, &mut observed.app, &mut observed.next].into_iter().flatten() {
            login_secret::seal_again(Arc::make_mut(secret));
        }
        observed.referenced = self.referenced(numbers, requirements.references);
        let stacks = self.of_kind::<TodoStack>(numbers);
        let stacks: Vec<_> = stacks.iter().collect();
        let (volumes, config) = (&listing.managed.volumes, &fixtures::config());
        observed.add_conflicts(&self.stack, Neighbors { stacks: &stacks, volumes, config });
        for key in observed.missing(&id, &requirements) {
            if let Some(metadata) = self.metadata(numbers, &key) {
                observed.add_unlisted(&id, key, metadata);
            }
        }
        observed.events = self.events(numbers, &observed);
        observed
    }

    fn listing(&self, numbers: &[usize]) -> Listing {
        let mut visitor = Listed { capture: self, numbers, managed: ManagedObjects::default() };
        visit_kinds(&mut visitor);
        Listing {
            managed: visitor.managed,
            pods: self.watched(numbers, prune::pod),
            storage_classes: self.of_kind::<StorageClass>(numbers).into_iter().map(Arc::new).collect(),
            ingress_classes: self.of_kind::<IngressClass>(numbers).into_iter().map(Arc::new).collect(),
        }
    }

    // Objects of a kind that carry the label by which the operator watches.
    fn watched<K>(&self, numbers: &[usize], prune: fn(&mut K)) -> Vec<Arc<K>>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let mut found = self.of_kind::<K>(numbers);
        found.retain(|object| object.labels().get(labels::MANAGED_BY).is_some_and(|it| it == FIELD_MANAGER));
        for object in &mut found {
            prune(object);
            mark_applied(object.meta_mut());
        }
        found.into_iter().map(Arc::new).collect()
    }

    fn metadata(&self, numbers: &[usize], key: &Key) -> Option<ObjectMeta> {
        let mut objects = numbers.iter().map(|number| &self.objects[*number]);
        let kind: &str = key.kind.into();
        let found = objects.find(|it| it["kind"] == *kind && it["metadata"]["name"] == *key.name)?;
        let mut metadata = serde_json::from_value(found["metadata"].clone()).unwrap();
        mark_applied(&mut metadata);
        Some(metadata)
    }

    fn of_kind<K: Resource<DynamicType = ()> + DeserializeOwned>(&self, numbers: &[usize]) -> Vec<K> {
        let objects = numbers.iter().map(|number| &self.objects[*number]);
        let those = objects.filter(|object| object["kind"] == *K::kind(&()));
        those.map(|object| serde_json::from_value(object.clone()).unwrap()).collect()
    }

    fn referenced(&self, numbers: &[usize], references: References<'_>) -> Referenced {
        let References {
            credentials,
            external,
            tls,
            init_scripts,
            jwks_ca,
            storage_class: _,
            ingress_class: _,
        } = references;
        Referenced {
            credentials: look_up(self.of_kind::<Secret>(numbers), credentials),
            external: look_up(self.of_kind::<Secret>(numbers), external),
            tls: look_up(self.of_kind::<Secret>(numbers), tls),
            init_scripts: look_up(self.of_kind::<ConfigMap>(numbers), init_scripts),
            jwks_ca: look_up(self.of_kind::<ConfigMap>(numbers), jwks_ca),
        }
    }

    // The Warnings that the operator would have received, object by object in the order of the API server.
    fn events(&self, numbers: &[usize], observed: &Observed) -> Vec<Event> {
        let all = self.of_kind::<Event>(numbers);
        let mut events = Vec::new();
        for subject in subjects(observed) {
            let is = |event: &&Event| {
                event.involved_object.uid.as_ref() == Some(&subject.uid)
                    && event.type_.as_deref() == Some("Warning")
            };
            let mut those: Vec<_> = all.iter().filter(is).cloned().collect();
            those.iter_mut().for_each(prune::event);
            those.sort_by_key(ResourceExt::name_any);
            events.extend(those);
        }
        events
    }
}

// A capture has no `managedFields`. What the operator applied has its stamp.
fn mark_applied(metadata: &mut ObjectMeta) {
    if metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(labels::APPLIED)) {
        metadata.managed_fields = Some(vec![fixtures::applied()]);
    }
}

struct Listed<'a> {
    capture: &'a Capture,
    numbers: &'a [usize],
    managed: ManagedObjects,
}

impl KindVisitor for Listed<'_> {
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self) {
        self.cluster::<K>();
    }

    fn cluster<K: ManagedKind>(&mut self) {
        *K::select(&mut self.managed) = self.capture.watched(self.numbers, K::prune);
    }
}

fn look_up<K: Resource>(objects: Vec<K>, name: Option<&str>) -> Lookup<K> {
    let Some(name) = name else { return Lookup::NotNamed };
    let found = objects.into_iter().find(|object| object.name_any() == name);
    found.map_or_else(|| Lookup::Missing(name.to_owned()), |found| Lookup::Found(Box::new(found)))
}
