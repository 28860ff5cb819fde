//! LISTs the Events of objects that do not become ready. No request is made while all is well. Which objects
//! those are is decided by `subjects`.

use k8s_openapi::api::core::v1::Event;
use kube::{Api, Client, api::ListParams};
use todostack_stack::{
    observed::{Observed, subjects::subjects},
    stack_ref::StackRef,
};

use super::Error;

/// Events of one object that are read at most. The API server folds repetitions into one Event, so more say
/// nothing new.
const LIMIT: u32 = 50;

/// The Events of objects that do not become ready.
pub(super) async fn of_unready(
    client: &Client,
    stack: &StackRef,
    observed: &Observed,
) -> Result<Vec<Event>, Error> {
    let api: Api<Event> = Api::namespaced(client.clone(), &stack.namespace);
    let mut events = Vec::new();
    for subject in subjects(observed) {
        let selector = format!("involvedObject.uid={}", subject.uid);
        let found = api.list(&ListParams::default().fields(&selector).limit(LIMIT)).await;
        let found = found.map_err(|source| Error::Read {
            kind: format!("Events of {}", subject.kind),
            namespace: stack.namespace.clone(),
            name: subject.name,
            source,
        })?;
        events.extend(found.items);
    }
    Ok(events)
}
