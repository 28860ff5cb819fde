//! Writes the reclaim policy of the volume under the data. Which policy that is, is decided in `stack/`.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{
    Api, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
};
use todostack_stack::{managed::Key, reclaim::Change, stack_ref::StackRef, transitions::Transition};

use super::{Error, Outcome};
use crate::{context::Context, publish};

/// Sets the policy. A rejection is reported, since the stack works without it.
pub(crate) async fn set(context: &Context, stack: &StackRef, change: Change<'_>, outcome: &mut Outcome) {
    let key = Key::from_object(change.volume);
    match write(context, &change).await {
        Ok(()) => emit(context, stack, &change).await,
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

async fn emit(context: &Context, stack: &StackRef, change: &Change<'_>) {
    let event = Transition {
        is_warning: false,
        reason: "ReclaimPolicyChanged",
        note: format!(
            "PersistentVolume {} now has persistentVolumeReclaimPolicy {}, to follow spec.deletionPolicy",
            change.volume.name_any(),
            change.policy
        ),
        action: "SetReclaimPolicy",
        related: Some(change.volume.object_ref(&())),
    };
    publish::emit(context, stack, event).await;
}
