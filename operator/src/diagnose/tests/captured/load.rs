//! From a file of objects to what the operator would have seen of them.

use std::{fs, path::Path, sync::Arc};

use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{
            ConfigMap, Event, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount,
        },
        networking::v1::{Ingress, IngressClass},
        storage::v1::StorageClass,
    },
};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;
use todostack_crds::{FIELD_MANAGER, TodoStack};

use crate::{
    args::Config,
    children::{self, Child, Children, Key},
    fixtures, labels, names,
    observe::{Lookup, Observed, Referenced, events, rivals},
    prune, references,
    resolve::{Inputs, resolve},
    stack::Stack,
};

/// Keys of a login that are no secret, and so are written as they are.
const OPEN_KEYS: &[&str] = &["username", "user", "dbname", "database", "host", "port", "sslmode", "revision"];

/// One file.
pub(super) struct Capture {
    /// `REASON` or `REASON-CASE`.
    pub(super) name: String,
    /// When it was written.
    pub(super) moment: jiff::Timestamp,
    api_image: String,
    stack: TodoStack,
    objects: Vec<Value>,
}

/// All files, in the order of their names.
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
        let noted = |what: &str| {
            let note = list["metadata"]["annotations"][format!("todostack.dev/{what}")].as_str();
            note.unwrap_or_else(|| panic!("{}: {what}", path.display())).to_owned()
        };
        let (moment, name, api_image) = (noted("captured-at"), noted("stack"), noted("api-image"));
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

    /// The reason of its name.
    pub(super) fn reason(&self) -> &str {
        self.name.split('-').next().unwrap()
    }

    /// The numbers of all objects.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.objects.len()).collect()
    }

    /// The stack, as it was resolved then.
    pub(super) fn resolved(&self, observed: &Observed) -> Stack {
        let config = Config { api_image: self.api_image.clone(), ..fixtures::config() };
        resolve(&self.stack, Inputs { observed, fresh: &fixtures::fresh(), config: &config }).unwrap()
    }

    /// Every value of a Secret that is one: name, key, value.
    pub(super) fn secret_values(&self) -> Vec<(String, String, Vec<u8>)> {
        let mut values = Vec::new();
        for secret in self.of::<Secret>(&self.all()) {
            for (key, ByteString(value)) in secret.data.clone().unwrap_or_default() {
                if !OPEN_KEYS.contains(&key.as_str()) {
                    values.push((secret.name_any(), key, value));
                }
            }
        }
        values
    }

    /// What the operator would have seen of those objects. The order is theirs where no watch cache makes one.
    pub(super) fn observed(&self, numbers: &[usize]) -> Observed {
        let (name, namespace) = (self.stack.name_any(), self.stack.namespace().unwrap());
        let mut seen = Seen { capture: self, numbers, children: Children::default() };
        let secrets = seen.children(prune::secret);
        let claims = seen.children::<PersistentVolumeClaim>(prune::claim);
        seen.children::<ServiceAccount>(prune::service_account);
        let stacks = self.of::<TodoStack>(numbers);
        let mut observed = Observed {
            superuser: named::<Secret>(&secrets, &names::superuser_secret(&name)),
            app: named(&secrets, &names::app_secret(&name)),
            claim: named(&claims, &names::database(&name))
                .or_else(|| named(&claims, &names::sqlite_claim(&name))),
            volume: named::<PersistentVolume>(
                &seen.children(prune::volume),
                &names::volume(&namespace, &name),
            ),
            stateful_set: named::<StatefulSet>(&seen.children(prune::stateful_set), &names::database(&name)),
            deployment: named::<Deployment>(&seen.children(prune::deployment), &names::api(&name)),
            jobs: seen.children::<Job>(prune::job),
            api_service: named::<Service>(&seen.children(prune::service), &names::api(&name)),
            ingress: named::<Ingress>(&seen.children(prune::ingress), &names::ingress(&name)),
            pods: seen.ours::<Pod>(prune::pod),
            referenced: self.referenced(numbers),
            storage_classes: self.of::<StorageClass>(numbers).into_iter().map(Arc::new).collect(),
            ingress_classes: self.of::<IngressClass>(numbers).into_iter().map(Arc::new).collect(),
            rival: rivals::export(stacks.iter(), &self.stack),
            host_rival: rivals::host(stacks.iter(), &self.stack),
            ..Observed::default()
        };
        observed.children = seen.children;
        observed.foreign = self.foreign(numbers, &observed.children);
        observed.events = self.events(numbers, &observed);
        observed
    }

    fn of<K: Resource<DynamicType = ()> + DeserializeOwned>(&self, numbers: &[usize]) -> Vec<K> {
        let objects = numbers.iter().map(|number| &self.objects[*number]);
        let those = objects.filter(|object| object["kind"] == *K::kind(&()));
        those.map(|object| serde_json::from_value(object.clone()).unwrap()).collect()
    }

    fn referenced(&self, numbers: &[usize]) -> Referenced {
        let references::References { credentials, external, tls, init_scripts } =
            references::of(&self.stack.spec);
        Referenced {
            credentials: look_up(self.of::<Secret>(numbers), credentials),
            external: look_up(self.of::<Secret>(numbers), external),
            tls: look_up(self.of::<Secret>(numbers), tls),
            init_scripts: look_up(self.of::<ConfigMap>(numbers), init_scripts),
        }
    }

    /// The Events that the operator would have asked for, object by object as the API server lists them.
    fn events(&self, numbers: &[usize], observed: &Observed) -> Vec<Event> {
        let all = self.of::<Event>(numbers);
        let mut events = Vec::new();
        for subject in events::subjects(observed) {
            let is = |event: &&Event| event.involved_object.uid.as_ref() == Some(&subject.uid);
            let mut those: Vec<_> = all.iter().filter(is).cloned().collect();
            those.sort_by_key(ResourceExt::name_any);
            events.extend(those);
        }
        events
    }

    /// Objects that have a name of the stack's and are somebody else's.
    fn foreign(&self, numbers: &[usize], children: &Children) -> Vec<Key> {
        let there = |key: &Key| {
            let kind: &str = key.kind.into();
            let mut objects = numbers.iter().map(|number| &self.objects[*number]);
            objects.any(|object| object["kind"] == *kind && object["metadata"]["name"] == *key.name)
        };
        let expected = children::expected(&self.stack).into_iter();
        expected.filter(|key| !children.contains(key) && there(key)).collect()
    }
}

struct Seen<'a> {
    capture: &'a Capture,
    numbers: &'a [usize],
    children: Children,
}

impl Seen<'_> {
    /// The stack's own objects of a kind, by name as `observe` has them.
    fn ours<K>(&self, prune: fn(&mut K)) -> Vec<Arc<K>>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let (name, namespace) = (self.capture.stack.name_any(), self.capture.stack.namespace().unwrap());
        let mut found = self.capture.of::<K>(self.numbers);
        found.retain(|object| {
            let is = |label: &str, value: &str| object.labels().get(label).is_some_and(|it| it == value);
            let ours = is(labels::MANAGED_BY, FIELD_MANAGER) && is(labels::STACK, &name);
            ours && is(labels::NAMESPACE, &namespace)
        });
        found.sort_by_key(ResourceExt::name_any);
        found.iter_mut().for_each(prune);
        found.into_iter().map(Arc::new).collect()
    }

    fn children<K>(&mut self, prune: fn(&mut K)) -> Vec<Arc<K>>
    where
        K: Child + DeserializeOwned,
    {
        let found = self.ours(prune);
        for object in &found {
            self.children.insert(Key::of::<K>(object.name_any()), object.meta().clone());
        }
        found
    }
}

fn named<K: Resource>(objects: &[Arc<K>], name: &str) -> Option<Arc<K>> {
    objects.iter().find(|object| object.name_any() == name).cloned()
}

fn look_up<K: Resource>(objects: Vec<K>, name: Option<&str>) -> Lookup<K> {
    let Some(name) = name else { return Lookup::NotNamed };
    let found = objects.into_iter().find(|object| object.name_any() == name);
    found.map_or_else(|| Lookup::Missing(name.to_owned()), |found| Lookup::Found(Box::new(found)))
}
