//! The Events of a stack: one a transition, with what the operator was at and the object that shows it.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::ListParams;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    stack::SOON,
    wait,
};

#[tokio::test]
async fn each_transition_is_one_event_that_leads_to_its_object() -> Result<()> {
    with_namespace("events", async |namespace| {
        let broken = "{api: {image: 'localhost/nowhere:1'}, database: {sqlite: {}}}";
        namespace.apply("shop", broken).await?;
        let message = namespace.blocked_by("shop", Reason::ImageNotFound, "localhost/nowhere:1").await?;

        let told = event(namespace, Reason::ImageNotFound.as_str()).await?;
        assert_eq!(
            (told.type_.as_deref(), told.message.as_deref()),
            (Some("Warning"), Some(message.as_str()))
        );
        assert_eq!(told.action.as_deref(), Some("RollOut"));
        assert_eq!(told.reporting_component.as_deref(), Some("todostack-operator"));
        let related = told.related.context("it leads to no object")?;
        assert_eq!(related.kind.as_deref(), Some("Pod"));
        let pods = namespace.api::<Pod>().list(&ListParams::default()).await?.items;
        let is = |pod: &Pod| pod.metadata.name == related.name && pod.metadata.namespace == related.namespace;
        ensure!(pods.iter().any(is), "{related:?} is none of the pods");

        namespace.apply("shop", "{database: {sqlite: {}}}").await?;
        namespace.ready("shop").await?;
        let told = event(namespace, "Ready").await?;
        assert_eq!(told.type_.as_deref(), Some("Normal"));
        event(namespace, Reason::ImageNotFound.as_str()).await.map(drop)
    })
    .await
}

/// The one Event on the stack of this reason.
async fn event(namespace: &Namespace, reason: &str) -> Result<Event> {
    let of_it = ListParams::default()
        .fields(&format!("involvedObject.kind=TodoStack,involvedObject.name=shop,reason={reason}"));
    let mut events = wait::eventually("told by an Event", SOON, async || {
        let events = namespace.api::<Event>().list(&of_it).await?.items;
        ensure!(!events.is_empty(), "no Event {reason}");
        Ok(events)
    })
    .await?;
    ensure!(events.len() == 1, "{} Events {reason}", events.len());
    let event = events.remove(0);
    let count = event.series.as_ref().and_then(|series| series.count).or(event.count);
    ensure!(count.unwrap_or(1) == 1, "{reason} was told {count:?} times");
    Ok(event)
}
