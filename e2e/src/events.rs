//! Events about a stack.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;

use crate::{namespace::Namespace, stack::SOON, wait};

impl Namespace {
    // Waits for the Event with this reason about a stack. More than one is an error.
    pub async fn event(&self, stack: &str, reason: &str) -> Result<Event> {
        let selector = format!("involvedObject.kind=TodoStack,involvedObject.name={stack},reason={reason}");
        let parameters = ListParams::default().fields(&selector);
        let mut events = wait::eventually("reported by an Event", SOON, async || {
            let events = self.api::<Event>().list(&parameters).await?.items;
            ensure!(!events.is_empty(), "no Event {reason}");
            Ok(events)
        })
        .await?;
        ensure!(events.len() == 1, "{} Events {reason}", events.len());
        Ok(events.remove(0))
    }
}
