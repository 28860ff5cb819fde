//! Which fields of a spec the pod template of the database is rendered from.

use todostack_crds::{
    TodoStack,
    postgres::PostgresSpec,
    storage::{NfsExport, PostgresStorage},
};

use crate::hash;

/// A hash of these fields. Fields that another version adds change it, so it only says that nothing was
/// edited, and not that something was.
pub(super) fn hash(todostack: &TodoStack) -> String {
    let database = todostack.spec.database.as_ref();
    let PostgresSpec {
        version,
        image,
        run_as_user,
        credentials_secret: _,
        rotation: _,
        storage,
        parameters,
        init_scripts,
        resources,
        pods,
    } = database.and_then(|database| database.postgres.clone()).unwrap_or_default();
    let nfs = storage.and_then(|PostgresStorage { size: _, nfs, storage_class_name: _ }| nfs);
    let mount_options = nfs.map(|NfsExport { server: _, path: _, mount_options }| mount_options);
    let fields = (version, image, run_as_user, mount_options, parameters, init_scripts, resources, pods);
    hash::short(&[&serde_json::to_string(&fields).unwrap_or_default()])
}
