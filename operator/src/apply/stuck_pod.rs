//! Deletes the pod of the database that the StatefulSet controller does not replace. Which one that is, is
//! decided in `stack/`.

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Resource as _, ResourceExt as _,
    api::{DeleteParams, Preconditions},
};
use todostack_stack::{stack_ref::StackRef, transitions::Transition};

use crate::{context::Context, publish};

#[derive(Debug, thiserror::Error)]
#[error("failed to delete Pod {name}")]
pub(crate) struct Error {
    name: String,
    source: kube::Error,
}

/// Deletes the pod, once: another of its name has another uid.
pub(crate) async fn delete(context: &Context, stack: &StackRef, pod: &Pod) -> Result<(), Error> {
    let api: Api<Pod> = Api::namespaced(context.client.clone(), &stack.namespace);
    let preconditions = Preconditions { uid: pod.uid(), resource_version: None };
    let name = pod.name_any();
    match api.delete(&name, &DeleteParams::default().preconditions(preconditions)).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => return Ok(()),
        Err(source) => return Err(Error { name, source }),
    }
    tracing::info!(stack.name = %stack, pod.name = %name, "Deleted a pod with an earlier template");
    let event = Transition {
        is_warning: false,
        reason: "PodReplaced",
        note: "The database pod is not ready and has an earlier template: it was deleted, so that the corrected one is created"
            .to_owned(),
        action: "Delete",
        related: Some(pod.object_ref(&())),
    };
    publish::emit(context, stack, event).await;
    Ok(())
}
