//! The CEL validation rules of the CRD and their messages. The types name the rules of their fields.
//!
//! A rule sees only the type that carries it: `self` is the spec, a part of it, or for `NAME` the whole
//! object. A rule with `oldSelf` is checked on updates only. Lists, maps and texts that a rule reads have a
//! maximum size, because the API server rejects a CRD whose rules could cost too much.

/// Names of managed resources are the stack's name with a suffix of up to 17 characters, and the name of a
/// Service is a DNS label (RFC 1035) of up to 63. With 40, both fit, as do the pod and revision labels of a
/// StatefulSet.
pub(crate) const NAME: &str =
    "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')";
pub(crate) const NAME_MESSAGE: &str = "\
    metadata.name must be a DNS label of at most 40 characters that starts with a letter, such as 'shop', \
    because the names of Services are derived from it; choose another name";

pub(crate) const ONE_DATABASE: &str =
    "[has(self.postgres), has(self.external), has(self.sqlite)].filter(chosen, chosen).size() <= 1";
pub(crate) const ONE_DATABASE_MESSAGE: &str =
    "spec.database must have at most one of postgres, external and sqlite; remove the others";

/// Without any of the three, the kind is postgres: setting `postgres` later is no change of the kind.
pub(crate) const IMMUTABLE_DATABASE_KIND: &str = "\
    (has(self.database) && has(self.database.external)) == (has(oldSelf.database) && \
    has(oldSelf.database.external)) && (has(self.database) && has(self.database.sqlite)) == \
    (has(oldSelf.database) && has(oldSelf.database.sqlite))";
pub(crate) const IMMUTABLE_DATABASE_KIND_MESSAGE: &str = "\
    spec.database cannot change between postgres, external and sqlite, because the todos would not be \
    copied; create another TodoStack and copy them";

/// It is a rule of the spec, since a rule of `storage` would not be checked when `storage` is added or
/// removed.
pub(crate) const IMMUTABLE_STORAGE_KIND: &str = "\
    (has(self.database) && has(self.database.postgres) && has(self.database.postgres.storage) && \
    has(self.database.postgres.storage.nfs)) == (has(oldSelf.database) && has(oldSelf.database.postgres) && \
    has(oldSelf.database.postgres.storage) && has(oldSelf.database.postgres.storage.nfs))";
pub(crate) const IMMUTABLE_STORAGE_KIND_MESSAGE: &str = "\
    spec.database.postgres.storage.nfs cannot be added or removed, because the data would not be copied to \
    the new volume; create another TodoStack and copy the data with pg_dump";

pub(crate) const SQLITE_HAS_ONE_REPLICA: &str = "\
    !(has(self.database) && has(self.database.sqlite)) || !has(self.api) || !has(self.api.replicas) || \
    self.api.replicas <= 1";
pub(crate) const SQLITE_HAS_ONE_REPLICA_MESSAGE: &str = "\
    spec.api.replicas must be 0 or 1 with spec.database.sqlite, because a SQLite file has only one writer; \
    set it to 1, or use postgres for more replicas";

pub(crate) const ONE_STORAGE: &str = "!(has(self.nfs) && has(self.storageClassName))";
pub(crate) const ONE_STORAGE_MESSAGE: &str =
    "spec.database.postgres.storage must have at most one of nfs and storageClassName; remove the other";

pub(crate) const SIZE_DOES_NOT_SHRINK: &str = "quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0";
pub(crate) const SIZE_DOES_NOT_SHRINK_MESSAGE: &str = "\
    storage.size cannot shrink, because Kubernetes can only grow a PersistentVolumeClaim; set it to at \
    least the previous size";

pub(crate) const IMMUTABLE_STORAGE_CLASS: &str = "\
    has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || \
    self.storageClassName == oldSelf.storageClassName)";
pub(crate) const IMMUTABLE_STORAGE_CLASS_MESSAGE: &str = "\
    storage.storageClassName cannot change, because a PersistentVolumeClaim cannot move to another \
    StorageClass; create another TodoStack and copy the data";

pub(crate) const IMMUTABLE_NFS: &str = "self.server == oldSelf.server && self.path == oldSelf.path";
pub(crate) const IMMUTABLE_NFS_MESSAGE: &str = "\
    storage.nfs.server and storage.nfs.path cannot change, because the source of a PersistentVolume is \
    immutable; create another TodoStack and copy the data with pg_dump";

/// `hard` is required (PostgreSQL 18 manual, section 18.2.2.1): with a soft mount, a slow server causes I/O
/// errors. Without locks, two servers can open one data directory.
pub(crate) const NFS_OPTIONS_ARE_SAFE: &str = "\
    self.mountOptions.all(option, !(option in ['soft', 'softerr', 'softreval', 'nolock', 'local_lock=all', \
    'local_lock=flock', 'local_lock=posix', 'ro']))";
pub(crate) const NFS_OPTIONS_ARE_SAFE_MESSAGE: &str = "\
    storage.nfs.mountOptions must not contain soft, softerr, softreval, nolock, local_lock or ro, because \
    Postgres would lose data or fail to start; use hard";

/// It is a rule of the whole object, because it reads the status: until the database is initialized, no file
/// belongs to the user. Without `postgres`, the user is the default.
pub(crate) const IMMUTABLE_USER: &str = "\
    !has(self.status) || !has(self.status.database) || !has(self.status.database.systemIdentifier) || \
    (has(self.spec.database) && has(self.spec.database.postgres) && \
    has(self.spec.database.postgres.runAsUser) ? self.spec.database.postgres.runAsUser : 999) == \
    (has(oldSelf.spec.database) && has(oldSelf.spec.database.postgres) && \
    has(oldSelf.spec.database.postgres.runAsUser) ? oldSelf.spec.database.postgres.runAsUser : 999)";
pub(crate) const IMMUTABLE_USER_MESSAGE: &str = "\
    spec.database.postgres.runAsUser cannot change, because the files of the database belong to that user; \
    create another TodoStack and copy the data with pg_dump";

pub(crate) const IMMUTABLE_VERSION: &str = "self.version == oldSelf.version";
pub(crate) const IMMUTABLE_VERSION_MESSAGE: &str = "\
    spec.database.postgres.version cannot change, because Postgres cannot read the data directory of \
    another major version; create another TodoStack and copy the data with pg_dump";

/// With the first eight, the server would not use the directory, the configuration files, the port or the
/// socket that the operator, its probes and the image expect. Without `fsync` or `full_page_writes`, a crash
/// of the node corrupts the data.
pub(crate) const PARAMETERS_ARE_SAFE: &str = "\
    !has(self.parameters) || self.parameters.all(name, !(name in ['data_directory', 'config_file', \
    'hba_file', 'ident_file', 'external_pid_file', 'listen_addresses', 'port', 'unix_socket_directories', \
    'fsync', 'full_page_writes']))";
pub(crate) const PARAMETERS_ARE_SAFE_MESSAGE: &str = "\
    spec.database.postgres.parameters must not set data_directory, config_file, hba_file, ident_file, \
    external_pid_file, listen_addresses, port or unix_socket_directories, on which the operator relies, or \
    fsync or full_page_writes, without which a crash corrupts the data; remove them";

/// The operator selects pods by its labels, and the controllers of Job, Deployment and StatefulSet by theirs.
pub(crate) const LABELS_ARE_FREE: &str = "\
    !has(self.labels) || self.labels.all(key, !(key.startsWith('todostack.dev/') || \
    key.startsWith('app.kubernetes.io/') || key.startsWith('apps.kubernetes.io/') || \
    key.startsWith('batch.kubernetes.io/') || key.startsWith('statefulset.kubernetes.io/') || \
    key in ['job-name', 'controller-uid', 'pod-template-hash', 'controller-revision-hash']))";
pub(crate) const LABELS_ARE_FREE_MESSAGE: &str = "\
    podMetadata.labels must not set labels of todostack.dev, app.kubernetes.io, apps.kubernetes.io, \
    batch.kubernetes.io or statefulset.kubernetes.io, or job-name, controller-uid, pod-template-hash or \
    controller-revision-hash, because controllers find their pods by them; remove them";
pub(crate) const ANNOTATIONS_ARE_FREE: &str =
    "!has(self.annotations) || self.annotations.all(key, !key.startsWith('todostack.dev/'))";
pub(crate) const ANNOTATIONS_ARE_FREE_MESSAGE: &str = "\
    podMetadata.annotations must not set annotations of todostack.dev, because the operator reads them; \
    remove them";

pub(crate) const TLS_REQUIRES_HOST: &str = "!(has(self.ingress) && has(self.ingress.tls)) || has(self.host)";
pub(crate) const TLS_REQUIRES_HOST_MESSAGE: &str = "\
    spec.exposure.ingress.tls requires spec.exposure.host, because a certificate is issued for a host name; \
    set the host";

#[cfg(test)]
mod tests;
