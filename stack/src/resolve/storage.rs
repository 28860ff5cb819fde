//! The volume of the data: which claim is applied for it, and whether what exists is what the spec names. How
//! a claim is provisioned, mounted or grows is diagnosed in `diagnose/`.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{Resource as _, ResourceExt};
use todostack_crds::Reason;

use super::Inputs;
use crate::{
    finding::Finding,
    observed::{Observed, claim},
    part::Part,
    quantity, reclaim,
    stack::{ClaimSpec, Volume, VolumeSource},
    stack_ref::StackRef,
    storage_class::{default_class, growing_class},
};

/// What a spec says of a volume.
pub(super) struct Wanted {
    /// Name of the claim.
    pub(super) claim: String,
    pub(super) size: String,
    pub(super) source: VolumeSource,
}

pub(super) fn resolve(
    wanted: Wanted,
    id: &StackRef,
    inputs: Inputs<'_>,
    findings: &mut Vec<Finding>,
) -> Volume {
    let Wanted { claim, size, source } = wanted;
    let observed = inputs.observed;
    let existing = observed.claim.as_deref();
    let kept = existing.is_none().then(|| kept_volume(&claim, &source, id, observed)).flatten();
    let requested = match &source {
        // The empty class disables provisioning, by a default class too.
        VolumeSource::Nfs { volume, .. } => ClaimSpec {
            size: existing.map_or_else(|| size.clone(), |existing| kept_size(existing, &size)),
            class: Some(String::new()),
            volume: Some(volume.clone()),
        },
        VolumeSource::Class(class) => ClaimSpec {
            size: existing.map_or_else(
                || kept.map_or_else(|| size.clone(), |volume| fitting_size(volume, &size)),
                |existing| request(existing, &size, observed),
            ),
            class: existing
                .map(claim::class)
                .or_else(|| kept.map(|volume| volume.spec.as_ref()?.storage_class_name.as_deref()))
                .unwrap_or_else(|| class.as_deref().or_else(|| default_class(&observed.storage_classes)))
                .map(str::to_owned),
            volume: existing
                .and_then(claim::requested_volume)
                .map(str::to_owned)
                .or_else(|| kept.map(ResourceExt::name_any)),
        },
    };
    let volume = Volume { claim, size, source, requested };
    findings.extend(mismatch(&volume, id, observed));
    volume
}

/// The volume of a claim that was deleted, if the spec still asks for that volume: a new claim is bound to
/// it. Volumes of NFS exports have a name of their own.
fn kept_volume<'a>(
    claim: &str,
    source: &VolumeSource,
    id: &StackRef,
    observed: &'a Observed,
) -> Option<&'a PersistentVolume> {
    let VolumeSource::Class(class) = source else { return None };
    let volume = observed.data_volume.as_deref()?;
    let has_class = || {
        let its_class = volume.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref());
        class.as_deref().map_or(its_class != Some(""), |class| its_class == Some(class))
    };
    let is_kept = claim::is_of_claim(volume, id, claim)
        && claim::reclaim_policy(volume) == Some("Retain")
        && volume.metadata.deletion_timestamp.is_none()
        && has_class();
    is_kept.then_some(volume)
}

/// A claim for an existing volume asks for no more than the volume has: it would not be bound.
fn fitting_size(volume: &PersistentVolume, size: &str) -> String {
    let capacity = volume.spec.as_ref().and_then(|spec| spec.capacity.as_ref()?.get("storage"));
    let smaller =
        capacity.map(|capacity| capacity.0.as_str()).filter(|capacity| quantity::is_larger(size, capacity));
    smaller.unwrap_or(size).to_owned()
}

/// The request of an existing claim. It changes only where the API server accepts that: the claim is bound,
/// its class can grow volumes, and the spec asks for more than the volume has.
fn request(existing: &PersistentVolumeClaim, size: &str, observed: &Observed) -> String {
    let grows = claim::capacity(existing).is_some_and(|capacity| quantity::is_larger(size, capacity))
        && growing_class(&observed.storage_classes, existing).is_some();
    if grows { size.to_owned() } else { kept_size(existing, size) }
}

/// The request that a claim has, spelled as in the spec where that is the same size.
fn kept_size(existing: &PersistentVolumeClaim, size: &str) -> String {
    let requested = claim::request(existing).unwrap_or(size);
    let is_same = quantity::parse(requested) == quantity::parse(size);
    if is_same { size } else { requested }.to_owned()
}

/// What exists instead of the volume that the spec names: it is kept, and nothing starts on it.
fn mismatch(volume: &Volume, id: &StackRef, observed: &Observed) -> Option<Finding> {
    let found = found_instead(volume, observed)?;
    let wanted = match &volume.source {
        VolumeSource::Nfs { server, path, .. } => format!("NFS export {server}:{path}"),
        VolumeSource::Class(Some(class)) => format!("StorageClass {class}"),
        VolumeSource::Class(None) => "no NFS export".to_owned(),
    };
    let export = observed.volume.as_deref().filter(|export| !is_export_of(volume, export));
    let related = observed.claim.as_deref().map(|claim| claim.object_ref(&()));
    Some(
        Finding::new(Part::Storage, Reason::VolumeMismatch, format!("PersistentVolumeClaim {}", volume.claim))
            .problem(format!("is for {found}, and the spec names {wanted}: nothing is started on it"))
            .remedy(format!(
                "Create the stack again with what it had, or let go of the earlier volume, whose data is kept: {}",
                release(volume, id, observed, export)
            ))
            .evident_in_spec()
            .related(related),
    )
}

/// What the claim, or the managed PersistentVolume, has instead of what the spec names.
fn found_instead(volume: &Volume, observed: &Observed) -> Option<String> {
    let existing = observed.claim.as_deref();
    let export = observed.volume.as_deref();
    let name_of = |volume: &PersistentVolume| {
        let export = claim::export(volume).map(|export| format!(", which is NFS export {export}"));
        format!("PersistentVolume {}{}", volume.name_any(), export.unwrap_or_default())
    };
    let bound =
        |existing: &PersistentVolumeClaim| match (observed.data_volume.as_deref(), claim::class(existing)) {
            (Some(volume), _) if claim::volume(existing) == volume.metadata.name.as_deref() => {
                name_of(volume)
            }
            (_, Some(class)) if !class.is_empty() => format!("StorageClass {class}"),
            (..) => claim::volume(existing)
                .map_or_else(|| "no StorageClass".to_owned(), |name| format!("PersistentVolume {name}")),
        };
    match &volume.source {
        VolumeSource::Nfs { volume: name, .. } => {
            export.filter(|export| !is_export_of(volume, export)).map(name_of).or_else(|| {
                let is_another = |existing: &&PersistentVolumeClaim| {
                    claim::class(existing) != Some("") || claim::volume(existing) != Some(name.as_str())
                };
                existing.filter(is_another).map(bound)
            })
        }
        VolumeSource::Class(class) => match existing {
            Some(existing) => {
                let its_class = claim::class(existing);
                let is_another =
                    class.as_deref().map_or(its_class == Some(""), |class| its_class != Some(class));
                is_another.then(|| bound(existing))
            }
            // A claim of that name would be bound to it, whatever its class.
            None => export.filter(|export| claim::bound_uid(export).is_none()).map(name_of),
        },
    }
}

/// Whether a managed PersistentVolume is of the export that the spec names.
fn is_export_of(volume: &Volume, export: &PersistentVolume) -> bool {
    match &volume.source {
        VolumeSource::Nfs { server, path, .. } => claim::export(export) == Some(format!("{server}:{path}")),
        VolumeSource::Class(_) => false,
    }
}

/// The commands that separate the stack from its earlier volume. The data stays on it.
fn release(volume: &Volume, id: &StackRef, observed: &Observed, export: Option<&PersistentVolume>) -> String {
    let mut commands = Vec::new();
    let deleted_with_claim =
        observed.data_volume.as_deref().filter(|volume| claim::reclaim_policy(volume) != Some("Retain"));
    if let Some(volume) = deleted_with_claim {
        commands.push(reclaim::retain_command(&volume.name_any()));
    }
    if observed.claim.is_some() {
        commands.push(format!("kubectl -n {} delete persistentvolumeclaim {}", id.namespace, volume.claim));
    }
    // What is on an export is not deleted with its PersistentVolume.
    if let Some(export) = export {
        commands.push(format!("kubectl delete persistentvolume {}", export.name_any()));
    }
    commands.join(" && ")
}

#[cfg(test)]
mod tests;
