//! Events of a stack: one for each transition, with the operator's action and the related object.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::ListParams;
use todostack_crds::Reason;
use todostack_e2e::namespace::{Namespace, with_namespace};

#[test]
fn each_transition_is_one_event_with_its_related_object() -> Result<()> {
    with_namespace("events", async |namespace| {
        let spec = "{api: {image: 'localhost/nowhere:1'}, database: {sqlite: {}}}";
        namespace.apply("shop", spec).await?;
        let mention = "localhost/nowhere:1";
        let message = namespace.until_not_ready("shop", Reason::ImageNotFound, mention).await?;

        let event = single_event(namespace, Reason::ImageNotFound.as_str()).await?;
        assert_eq!(
            (event.type_.as_deref(), event.message.as_deref()),
            (Some("Warning"), Some(message.as_str()))
        );
        assert_eq!(event.action.as_deref(), Some("RollOut"));
        assert_eq!(event.reporting_component.as_deref(), Some("todostack-operator"));
        let related = event.related.context("no related object")?;
        assert_eq!(related.kind.as_deref(), Some("Pod"));
        let pods = namespace.api::<Pod>().list(&ListParams::default()).await?.items;
        let is_related =
            |pod: &Pod| pod.metadata.name == related.name && pod.metadata.namespace == related.namespace;
        ensure!(pods.iter().any(is_related), "{related:?} is not one of the pods");

        namespace.apply_and_wait("shop", "{database: {sqlite: {}}}").await?;
        assert_eq!(single_event(namespace, "Ready").await?.type_.as_deref(), Some("Normal"));
        single_event(namespace, Reason::ImageNotFound.as_str()).await.map(drop)
    })
}

// The Event with this reason, which must have been emitted once.
async fn single_event(namespace: &Namespace, reason: &str) -> Result<Event> {
    let event = namespace.event("shop", reason).await?;
    // A repeated Event is not a new object: its recorder increases the count.
    let count = event.series.as_ref().and_then(|series| series.count).or(event.count);
    ensure!(count.unwrap_or(1) == 1, "{reason} was emitted {count:?} times");
    Ok(event)
}
