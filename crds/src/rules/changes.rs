//! The CEL rules on changes that would leave the data behind. They are rules of the root and spell out the
//! defaults, so that they hold when a block of the spec appears or goes. What holds for one version of a spec
//! is in `rules.rs`.

/// Binds `$bound`, a list of what `$value` is for the old and for the new `spec`, in `$rule`.
macro_rules! old_and_new {
    ($old:literal, $new:literal, $value:literal, $bound:literal, $rule:literal) => {
        concat!("[[", $old, ", ", $new, "].map(spec, ", $value, ")].all(", $bound, ", ", $rule, ")")
    };
}

/// Without any of the three, the kind is postgres: setting `postgres` later is no change of the kind.
pub(crate) const IMMUTABLE_DATABASE_KIND: &str = old_and_new!(
    "oldSelf",
    "self",
    "has(spec.database) && has(spec.database.external) ? 'external' : has(spec.database) && has(spec.database.sqlite) ? 'sqlite' : 'postgres'",
    "kinds",
    "kinds[0] == kinds[1]"
);
pub(crate) const IMMUTABLE_DATABASE_KIND_MESSAGE: &str = "\
    spec.database cannot change between postgres, external and sqlite, because the todos would not be \
    copied; create another TodoStack and copy them";

/// A change of server or path is rejected by a rule of `nfs`: both versions have it.
pub(crate) const IMMUTABLE_STORAGE_KIND: &str = old_and_new!(
    "oldSelf",
    "self",
    "has(spec.database) && has(spec.database.postgres) && has(spec.database.postgres.storage) && has(spec.database.postgres.storage.nfs)",
    "nfs",
    "nfs[0] == nfs[1]"
);
pub(crate) const IMMUTABLE_STORAGE_KIND_MESSAGE: &str = "\
    spec.database.postgres.storage.nfs cannot be added or removed, because the data would not be copied to \
    the new volume; create another TodoStack and copy the data with pg_dump";

pub(crate) const IMMUTABLE_NFS: &str = "self.server == oldSelf.server && self.path == oldSelf.path";
pub(crate) const IMMUTABLE_NFS_MESSAGE: &str = "\
    storage.nfs.server and storage.nfs.path cannot change, because the source of a PersistentVolume is \
    immutable; create another TodoStack and copy the data with pg_dump";

pub(crate) const IMMUTABLE_STORAGE_CLASS: &str = old_and_new!(
    "oldSelf",
    "self",
    "!has(spec.database) ? '' : has(spec.database.sqlite) && has(spec.database.sqlite.storage) && has(spec.database.sqlite.storage.storageClassName) ? spec.database.sqlite.storage.storageClassName : has(spec.database.postgres) && has(spec.database.postgres.storage) && has(spec.database.postgres.storage.storageClassName) ? spec.database.postgres.storage.storageClassName : ''",
    "classes",
    "classes[0] == classes[1]"
);
pub(crate) const IMMUTABLE_STORAGE_CLASS_MESSAGE: &str = "\
    storage.storageClassName cannot change, because a PersistentVolumeClaim cannot move to another \
    StorageClass; create another TodoStack and copy the data";

/// The way back from a size that the volume cannot reach: `status.storage.size` is what it has.
pub(crate) const SIZE_DOES_NOT_SHRINK: &str = old_and_new!(
    "oldSelf.spec",
    "self.spec",
    "!has(spec.database) ? '1Gi' : has(spec.database.sqlite) && has(spec.database.sqlite.storage) ? spec.database.sqlite.storage.size : has(spec.database.postgres) && has(spec.database.postgres.storage) ? spec.database.postgres.storage.size : '1Gi'",
    "sizes",
    "quantity(sizes[1]).compareTo(quantity(sizes[0])) >= 0 || has(self.status) && has(self.status.storage) && has(self.status.storage.size) && quantity(sizes[1]).compareTo(quantity(self.status.storage.size)) >= 0"
);
pub(crate) const SIZE_DOES_NOT_SHRINK_MESSAGE: &str = "\
    storage.size cannot shrink below the size of the bound volume (status.storage.size), because Kubernetes \
    can only grow a PersistentVolumeClaim; set it to at least that size";

/// The version is free until the data directory is initialized.
pub(crate) const IMMUTABLE_VERSION: &str = old_and_new!(
    "oldSelf.spec",
    "self.spec",
    "has(spec.database) && has(spec.database.postgres) ? spec.database.postgres.version : '18'",
    "versions",
    "versions[0] == versions[1] || !(has(self.status) && has(self.status.database) && has(self.status.database.systemIdentifier))"
);
pub(crate) const IMMUTABLE_VERSION_MESSAGE: &str = "\
    spec.database.postgres.version cannot change, because Postgres cannot read the data directory of \
    another major version; create another TodoStack and copy the data with pg_dump";

/// Until the database is initialized, no file belongs to the user. Without `postgres`, the user is the default.
pub(crate) const IMMUTABLE_USER: &str = "\
    !has(self.status) || !has(self.status.database) || !has(self.status.database.systemIdentifier) || \
    (has(self.spec.database) && has(self.spec.database.postgres) && \
    has(self.spec.database.postgres.runAsUser) ? self.spec.database.postgres.runAsUser : 999) == \
    (has(oldSelf.spec.database) && has(oldSelf.spec.database.postgres) && \
    has(oldSelf.spec.database.postgres.runAsUser) ? oldSelf.spec.database.postgres.runAsUser : 999)";
pub(crate) const IMMUTABLE_USER_MESSAGE: &str = "\
    spec.database.postgres.runAsUser cannot change, because the files of the database belong to that user; \
    create another TodoStack and copy the data with pg_dump";
