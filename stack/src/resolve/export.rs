//! NFS exports that the stack may not use, because an administrator does not allow them or another has them.

use todostack_crds::Reason;

use crate::{
    config::Config,
    export::Export,
    finding::Finding,
    observed::{Observed, conflicts::ExportHolder},
    part::Part,
    stack::VolumeSource,
    stack_ref::StackRef,
};

pub(super) fn not_allowed(source: &VolumeSource, id: &StackRef, config: &Config) -> Option<Finding> {
    let VolumeSource::Nfs { server, path, .. } = source else { return None };
    let StackRef { namespace, .. } = id;
    if config.allowed_exports.allows(&Export::new(server, path), namespace) {
        return None;
    }
    let object = format!("NFS export {server}:{path}");
    Some(
        Finding::new(Part::Storage, Reason::ExportNotAllowed, object)
            .problem(format!("is not allowed by the administrator to stacks of namespace {namespace}"))
            .remedy(format!(
                "Have the administrator add {server}:{path} to the value nfs.allowed of the chart todostack-operator, or delete this stack, and create it with an export that is allowed"
            ))
            .evident_in_spec(),
    )
}

/// An export is used through a PersistentVolume, which belongs to the cluster.
pub(super) fn confined(source: &VolumeSource, observed: &Observed) -> Option<Finding> {
    let VolumeSource::Nfs { server, path, .. } = source else { return None };
    observed.confined.then(|| {
        Finding::new(Part::Storage, Reason::ClusterAccessNeeded, format!("NFS export {server}:{path}"))
            .problem("needs a PersistentVolume, and the operator has no permissions outside of its namespaces")
            .remedy("Have the administrator set the value rbac.clusterRole: true of the chart todostack-operator, or delete this stack, and create it with spec.database.postgres.storage.storageClassName")
            .evident_in_spec()
    })
}

pub(super) fn shared(observed: &Observed) -> Option<Finding> {
    const ANOTHER: &str = "another export: delete this stack, and create it with another path in spec.database.postgres.storage.nfs";
    let (object, remedy) = match observed.export_conflict.as_ref()? {
        ExportHolder::Stack(other) => (format!("TodoStack {other}"), format!("Use {ANOTHER}")),
        ExportHolder::Claim { namespace, name } => {
            let remedy = format!(
                "If a deleted stack left it, delete it, and its files stay on the export: kubectl -n {namespace} delete pvc {name}. Otherwise use {ANOTHER}"
            );
            (format!("PersistentVolumeClaim {namespace}/{name}"), remedy)
        }
    };
    Some(
        Finding::new(Part::Storage, Reason::VolumeShared, object)
            .problem("uses the same NFS export: two servers on one directory destroy the data")
            .remedy(remedy)
            .evident_in_spec(),
    )
}
