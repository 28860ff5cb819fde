//! Writes the reclaim policy of the volume under the data. Which policy that is, is decided in `stack/`.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
};
use todostack_stack::{managed::Key, reclaim::Change, stack_ref::StackRef};

use super::{Error, Outcome};
use crate::context::Context;

/// Sets the policy. A rejection is reported, since the stack works without it.
pub(crate) async fn set(context: &Context, stack: &StackRef, change: Change<'_>, outcome: &mut Outcome) {
    let key = Key::from_object(change.volume);
    context.data_volumes.evict(stack);
    match write(context, &change).await {
        Ok(()) => {}
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 422) => {
            outcome.applied.unretained = Some((key.name, status.message.clone()));
        }
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
            outcome.applied.conflict = true;
        }
        Err(error) => {
            outcome.error.get_or_insert(Error::Write(key, error));
        }
    }
}

pub(super) async fn write(context: &Context, change: &Change<'_>) -> Result<(), kube::Error> {
    let api: Api<PersistentVolume> = Api::all(context.client.clone());
    let patch = Patch::Merge(change.patch());
    api.patch_metadata(&change.volume.name_any(), &PatchParams::default(), &patch).await?;
    tracing::info!(volume.name = %change.volume.name_any(), policy = change.policy, "Set reclaim policy");
    Ok(())
}
