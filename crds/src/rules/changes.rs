//! The CEL rules on changes that would leave the data behind. They are rules of the root and spell out the
//! defaults, so that they hold when a block of the spec appears or goes. What holds for one version of a spec
//! is in `rules.rs`.

/// A field of the block `storage` of one kind of database, or the default where a block is left out.
/// Variables would be shorter, but for a list of them the API server estimates too high a cost.
macro_rules! storage {
    ($spec:literal, $kind:literal, $field:literal, $default:literal) => {
        concat!(
            "(has(",
            $spec,
            ".database) && has(",
            $spec,
            ".database.",
            $kind,
            ") && has(",
            $spec,
            ".database.",
            $kind,
            ".storage) && has(",
            $spec,
            ".database.",
            $kind,
            ".storage.",
            $field,
            ") ? ",
            $spec,
            ".database.",
            $kind,
            ".storage.",
            $field,
            " : ",
            $default,
            ")"
        )
    };
}

/// Whether the StorageClass of one kind of database stays.
macro_rules! has_same_class {
    ($kind:literal) => {
        concat!(
            storage!("self", $kind, "storageClassName", "''"),
            " == ",
            storage!("oldSelf", $kind, "storageClassName", "''")
        )
    };
}

/// Whether the size of one kind of database is at least the one before, or the one that is bound.
macro_rules! does_not_shrink {
    ($kind:literal) => {
        concat!(
            "(quantity(",
            storage!("self.spec", $kind, "size", "'1Gi'"),
            ").compareTo(quantity(",
            storage!("oldSelf.spec", $kind, "size", "'1Gi'"),
            ")) >= 0 || has(self.status) && has(self.status.storage) && has(self.status.storage.size) && quantity(",
            storage!("self.spec", $kind, "size", "'1Gi'"),
            ").compareTo(quantity(self.status.storage.size)) >= 0)"
        )
    };
}

/// The version of Postgres in a spec.
macro_rules! version {
    ($spec:literal) => {
        concat!(
            "(has(",
            $spec,
            ".database) && has(",
            $spec,
            ".database.postgres) ? ",
            $spec,
            ".database.postgres.version : '18')"
        )
    };
}

/// Without any of the three, the kind is postgres: setting `postgres` later is no change of the kind.
pub(crate) const IMMUTABLE_DATABASE_KIND: &str = "\
    (has(self.database) && has(self.database.external)) == (has(oldSelf.database) && \
    has(oldSelf.database.external)) && (has(self.database) && has(self.database.sqlite)) == \
    (has(oldSelf.database) && has(oldSelf.database.sqlite))";
pub(crate) const IMMUTABLE_DATABASE_KIND_MESSAGE: &str = "\
    spec.database cannot change between postgres, external and sqlite, because the todos would not be \
    copied; create another TodoStack and copy them";

/// A change of server or path is rejected by a rule of `nfs`: both versions have it.
pub(crate) const IMMUTABLE_STORAGE_KIND: &str = "\
    (has(self.database) && has(self.database.postgres) && has(self.database.postgres.storage) && \
    has(self.database.postgres.storage.nfs)) == (has(oldSelf.database) && has(oldSelf.database.postgres) && \
    has(oldSelf.database.postgres.storage) && has(oldSelf.database.postgres.storage.nfs))";
pub(crate) const IMMUTABLE_STORAGE_KIND_MESSAGE: &str = "\
    spec.database.postgres.storage.nfs cannot be added or removed, because the data would not be copied to \
    the new volume; create another TodoStack and copy the data with pg_dump";

pub(crate) const IMMUTABLE_NFS: &str = "self.server == oldSelf.server && self.path == oldSelf.path";
pub(crate) const IMMUTABLE_NFS_MESSAGE: &str = "\
    storage.nfs.server and storage.nfs.path cannot change, because the source of a PersistentVolume is \
    immutable; create another TodoStack and copy the data with pg_dump";

pub(crate) const IMMUTABLE_STORAGE_CLASS: &str =
    concat!(has_same_class!("postgres"), " && ", has_same_class!("sqlite"));
pub(crate) const IMMUTABLE_STORAGE_CLASS_MESSAGE: &str = "\
    storage.storageClassName cannot change, because a PersistentVolumeClaim cannot move to another \
    StorageClass; create another TodoStack and copy the data";

/// The way back from a size that the volume cannot reach: `status.storage.size` is what it has.
pub(crate) const SIZE_DOES_NOT_SHRINK: &str =
    concat!(does_not_shrink!("postgres"), " && ", does_not_shrink!("sqlite"));
pub(crate) const SIZE_DOES_NOT_SHRINK_MESSAGE: &str = "\
    storage.size cannot shrink below the size of the bound volume (status.storage.size), because Kubernetes \
    can only grow a PersistentVolumeClaim; set it to at least that size";

/// The version is free until the data directory is initialized.
pub(crate) const IMMUTABLE_VERSION: &str = concat!(
    version!("self.spec"),
    " == ",
    version!("oldSelf.spec"),
    " || !(has(self.status) && has(self.status.database) && has(self.status.database.systemIdentifier))"
);
pub(crate) const IMMUTABLE_VERSION_MESSAGE: &str = "\
    spec.database.postgres.version cannot change, because Postgres cannot read the data directory of \
    another major version; create another TodoStack and copy the data with pg_dump";

/// Until the database is initialized, no file belongs to the user. Without `postgres`, the user is the
/// default.
pub(crate) const IMMUTABLE_USER: &str = "\
    !has(self.status) || !has(self.status.database) || !has(self.status.database.systemIdentifier) || \
    (has(self.spec.database) && has(self.spec.database.postgres) && \
    has(self.spec.database.postgres.runAsUser) ? self.spec.database.postgres.runAsUser : 999) == \
    (has(oldSelf.spec.database) && has(oldSelf.spec.database.postgres) && \
    has(oldSelf.spec.database.postgres.runAsUser) ? oldSelf.spec.database.postgres.runAsUser : 999)";
pub(crate) const IMMUTABLE_USER_MESSAGE: &str = "\
    spec.database.postgres.runAsUser cannot change, because the files of the database belong to that user; \
    create another TodoStack and copy the data with pg_dump";
