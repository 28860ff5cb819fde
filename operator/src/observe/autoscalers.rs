//! LISTs the HorizontalPodAutoscalers of a namespace, while someone else than the operator has scaled a
//! Deployment there. Otherwise no request is made. Whether one scales it is decided in `stack/`.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::{Api, api::ListParams};
use todostack_stack::{autoscaling, observed::Observed, requirements::Requirements, stack_ref::StackRef};

use super::Error;
use crate::context::Context;

/// Whether the replicas of the API are those of a HorizontalPodAutoscaler.
pub(super) async fn read(
    context: &Context,
    stack: &StackRef,
    requirements: &Requirements<'_>,
    observed: &Observed,
) -> Result<bool, Error> {
    let Some(found) = observed.inventory.get(&autoscaling::target(stack)) else { return Ok(false) };
    if !autoscaling::may_be_autoscaled(requirements, &context.caches.field_sets.resolve(found)) {
        return Ok(false);
    }
    let api: Api<HorizontalPodAutoscaler> = Api::namespaced(context.client.clone(), &stack.namespace);
    // From the API server's cache: which version is read does not matter.
    let found = api.list(&ListParams::default().match_any()).await.map_err(|source| Error::Read {
        kind: "HorizontalPodAutoscalers of".to_owned(),
        namespace: stack.namespace.clone(),
        name: "the namespace".to_owned(),
        source,
    })?;
    Ok(autoscaling::is_autoscaled(stack, &found.items))
}
