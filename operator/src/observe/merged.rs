//! The watches of several namespaces as one: a store keeps the events of one watch only, since a list
//! replaces all that it has. Opening the watches is `scope.rs`'s.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt as _, stream, stream::BoxStream};
use kube::{Resource, ResourceExt as _, runtime::watcher::Event};

/// The events of one watch.
type Events<K, E> = BoxStream<'static, Result<Event<K>, E>>;

/// The first lists of all feeds as one list, and a later list of one as the changes that it amounts to.
/// `present` gives the objects of a feed's namespace that were passed on and not deleted.
pub(super) fn merge<K, E>(
    feeds: Vec<(String, Events<K, E>)>,
    present: impl Fn(&str) -> Vec<K> + Send + 'static,
) -> Events<K, E>
where
    K: Resource + Clone + Send + 'static,
    E: Send + 'static,
{
    let mut merged = Merged { feeds: Vec::new(), is_listed: false };
    let tagged = feeds.into_iter().enumerate().map(|(index, (namespace, feed))| {
        merged.feeds.push(Feed { namespace, listing: HashMap::new(), is_listed: false });
        feed.map(move |event| (index, event)).boxed()
    });
    let tagged = stream::select_all(tagged.collect::<Vec<_>>());
    let events = tagged.flat_map(move |(index, event)| {
        stream::iter(match event {
            Ok(event) => merged.receive(index, event, &present).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    });
    events.boxed()
}

struct Merged<K> {
    feeds: Vec<Feed<K>>,
    /// Whether every feed has listed once.
    is_listed: bool,
}

struct Feed<K> {
    namespace: String,
    /// Objects of a list that has not ended, or of the first one while other feeds list.
    listing: HashMap<String, K>,
    is_listed: bool,
}

impl<K: Resource> Merged<K> {
    fn receive(&mut self, index: usize, event: Event<K>, present: impl Fn(&str) -> Vec<K>) -> Vec<Event<K>> {
        let Some(feed) = self.feeds.get_mut(index) else { return Vec::new() };
        match event {
            Event::Init => feed.listing.clear(),
            Event::InitApply(object) => drop(feed.listing.insert(object.name_any(), object)),
            Event::Apply(object) if !self.is_listed => drop(feed.listing.insert(object.name_any(), object)),
            Event::Delete(object) if !self.is_listed => drop(feed.listing.remove(&object.name_any())),
            Event::InitDone if self.is_listed => return feed.changes(present),
            Event::InitDone => {
                feed.is_listed = true;
                return self.first_list();
            }
            event @ (Event::Apply(_) | Event::Delete(_)) => return vec![event],
        }
        Vec::new()
    }

    fn first_list(&mut self) -> Vec<Event<K>> {
        self.is_listed = self.feeds.iter().all(|feed| feed.is_listed);
        if !self.is_listed {
            return Vec::new();
        }
        let objects = self.feeds.iter_mut().flat_map(|feed| std::mem::take(&mut feed.listing).into_values());
        std::iter::once(Event::Init).chain(objects.map(Event::InitApply)).chain([Event::InitDone]).collect()
    }
}

impl<K: Resource> Feed<K> {
    fn changes(&mut self, present: impl Fn(&str) -> Vec<K>) -> Vec<Event<K>> {
        let listed = std::mem::take(&mut self.listing);
        let names: HashSet<_> = listed.keys().cloned().collect();
        let gone = present(&self.namespace).into_iter().filter(|object| !names.contains(&object.name_any()));
        gone.map(Event::Delete).chain(listed.into_values().map(Event::Apply)).collect()
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use k8s_openapi::api::core::v1::Service;
    use kube::runtime::reflector;
    use proptest::prelude::*;

    use super::*;

    const NAMESPACES: [&str; 3] = ["a", "b", "c"];

    fn service(namespace: &str, name: u8) -> Service {
        let metadata = serde_json::json!({"namespace": namespace, "name": format!("s{name}")});
        serde_json::from_value(serde_json::json!({"metadata": metadata})).unwrap()
    }

    // What happens in a namespace.
    #[derive(Clone, Debug)]
    enum Change {
        Apply(u8),
        Delete(u8),
        // The watch starts again, after these exist and no others.
        List(Vec<u8>),
    }

    fn changes() -> impl Strategy<Value = Vec<(usize, Change)>> {
        let change = prop_oneof![
            (0..4_u8).prop_map(Change::Apply),
            (0..4_u8).prop_map(Change::Delete),
            prop::collection::vec(0..4_u8, 0..4).prop_map(Change::List),
        ];
        prop::collection::vec((0..NAMESPACES.len(), change), 0..40)
    }

    fn events(namespace: &str, change: &Change) -> Vec<Event<Service>> {
        match change {
            Change::Apply(name) => vec![Event::Apply(service(namespace, *name))],
            Change::Delete(name) => vec![Event::Delete(service(namespace, *name))],
            Change::List(names) => {
                let objects = names.iter().map(|name| Event::InitApply(service(namespace, *name)));
                std::iter::once(Event::Init).chain(objects).chain([Event::InitDone]).collect()
            }
        }
    }

    // The names in each namespace.
    fn expected(changes: &[(usize, Change)]) -> HashSet<(String, String)> {
        let mut all = HashSet::new();
        for (index, change) in changes {
            let namespace = NAMESPACES[*index].to_owned();
            match change {
                Change::Apply(name) => drop(all.insert((namespace, format!("s{name}")))),
                Change::Delete(name) => drop(all.remove(&(namespace, format!("s{name}")))),
                Change::List(names) => {
                    all.retain(|(other, _)| *other != namespace);
                    all.extend(names.iter().map(|name| (namespace.clone(), format!("s{name}"))));
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn a_store_has_what_exists_in_all_namespaces_whichever_watch_starts_again(changes in changes()) {
            // Each watch begins with a list.
            let first = (0..NAMESPACES.len()).map(|index| (index, Change::List(vec![0])));
            let mut rest = changes;
            let last = rest.split_off(rest.len() / 2);
            // Some changes come before the last of the first lists.
            let mut all: Vec<_> = first.collect();
            let late = all.pop().unwrap();
            all.extend(rest.into_iter().filter(|(index, _)| *index != late.0));
            all.push(late);
            all.extend(last);

            let (reader, mut writer) = reflector::store::<Service>();
            let (mut senders, mut feeds) = (Vec::new(), Vec::new());
            for namespace in NAMESPACES {
                let (sender, receiver) = mpsc::unbounded::<Result<Event<Service>, ()>>();
                senders.push(sender);
                feeds.push((namespace.to_owned(), receiver.boxed()));
            }
            let store = reader.clone();
            let mut merged = merge(feeds, move |namespace| {
                let is_there = |it: &Service| it.metadata.namespace.as_deref() == Some(namespace);
                let those = store.state_filter(is_there);
                those.iter().map(|it| Service::clone(it)).collect()
            });
            let is_ready = |reader: &reflector::Store<Service>| {
                futures::FutureExt::now_or_never(reader.wait_until_ready()).is_some()
            };
            for (at, (index, change)) in all.iter().enumerate() {
                for event in events(NAMESPACES[*index], change) {
                    senders[*index].unbounded_send(Ok(event)).unwrap();
                    while let Some(Some(event)) = futures::FutureExt::now_or_never(merged.next()) {
                        writer.apply_watcher_event(&event.unwrap());
                    }
                }
                let has_listed = NAMESPACES.iter().enumerate().all(|(index, _)| {
                    all[..=at].iter().any(|(other, _)| *other == index)
                });
                prop_assert_eq!(is_ready(&reader), has_listed);
            }
            let found: HashSet<_> = reader.state().iter()
                .map(|it| (it.metadata.namespace.clone().unwrap(), it.name_any())).collect();
            prop_assert_eq!(found, expected(&all));
        }
    }
}
