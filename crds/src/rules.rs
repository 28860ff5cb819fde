//! The CEL rules of the contract and what each says when it is broken; the fields carry them by name.

/// Every child's name is the stack's with a suffix of up to 17 characters, and a Service's has to be a DNS label
/// (RFC 1035) of up to 63; 40 leaves room for both, and for a StatefulSet's pod and revision labels.
pub(crate) const NAME: &str =
    "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')";
pub(crate) const NAME_MESSAGE: &str = "metadata.name must be a DNS label of at most 40 characters that starts with a letter, such as 'shop': Services are named after it";

pub(crate) const ONE_DATABASE: &str =
    "[has(self.postgres), has(self.external), has(self.sqlite)].filter(chosen, chosen).size() <= 1";
pub(crate) const ONE_DATABASE_MESSAGE: &str =
    "spec.database must have at most one of postgres, external and sqlite";

pub(crate) const DATABASE_KIND_STAYS: &str = "(has(self.database) && has(self.database.external)) == (has(oldSelf.database) && has(oldSelf.database.external)) && (has(self.database) && has(self.database.sqlite)) == (has(oldSelf.database) && has(oldSelf.database.sqlite))";
pub(crate) const DATABASE_KIND_STAYS_MESSAGE: &str = "the kind of spec.database (postgres, external, sqlite) cannot change, since the todos would stay behind; create another stack and copy them";

pub(crate) const STORAGE_KIND_STAYS: &str = "(has(self.database) && has(self.database.postgres) && has(self.database.postgres.storage) && has(self.database.postgres.storage.nfs)) == (has(oldSelf.database) && has(oldSelf.database.postgres) && has(oldSelf.database.postgres.storage) && has(oldSelf.database.postgres.storage.nfs))";
pub(crate) const STORAGE_KIND_STAYS_MESSAGE: &str = "spec.database.postgres.storage.nfs cannot be added or removed, since the data would stay behind; create another stack and copy it";

pub(crate) const SQLITE_HAS_ONE_REPLICA: &str = "!(has(self.database) && has(self.database.sqlite)) || !has(self.api) || !has(self.api.replicas) || self.api.replicas <= 1";
pub(crate) const SQLITE_HAS_ONE_REPLICA_MESSAGE: &str = "spec.api.replicas must be 0 or 1 with spec.database.sqlite: one file has one writer; choose postgres for more";

pub(crate) const ONE_STORAGE: &str = "!(has(self.nfs) && has(self.storageClassName))";
pub(crate) const ONE_STORAGE_MESSAGE: &str = "storage must have at most one of nfs and storageClassName";

pub(crate) const SIZE_DOES_NOT_SHRINK: &str = "quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0";
pub(crate) const SIZE_DOES_NOT_SHRINK_MESSAGE: &str =
    "storage.size cannot shrink: Kubernetes only grows volumes";

pub(crate) const STORAGE_CLASS_STAYS: &str = "has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)";
pub(crate) const STORAGE_CLASS_STAYS_MESSAGE: &str = "storage.storageClassName cannot change, since the data would stay behind; create another stack and copy it";

pub(crate) const NFS_STAYS: &str = "self.server == oldSelf.server && self.path == oldSelf.path";
pub(crate) const NFS_STAYS_MESSAGE: &str = "storage.nfs.server and storage.nfs.path cannot change, since the data would stay behind; create another stack and copy it";

/// PostgreSQL 18, section 18.2.2.1: `hard` is the one firm requirement; a soft mount turns a slow server into an
/// I/O error, and without locks two servers can open one directory.
pub(crate) const NFS_OPTIONS_ARE_SAFE: &str = "self.mountOptions.all(option, !(option in ['soft', 'softerr', 'softreval', 'nolock', 'local_lock=all', 'local_lock=flock', 'local_lock=posix', 'ro']))";
pub(crate) const NFS_OPTIONS_ARE_SAFE_MESSAGE: &str = "storage.nfs.mountOptions must not have soft, softerr, softreval, nolock, local_lock or ro: Postgres loses data or cannot start with them; use hard";

pub(crate) const VERSION_STAYS: &str = "self.version == oldSelf.version";
pub(crate) const VERSION_STAYS_MESSAGE: &str = "spec.database.postgres.version cannot change: a data directory belongs to its major version; create another stack and copy the data with pg_dump";

/// What the operator sets itself, and what would make the server unreachable or move its data.
pub(crate) const PARAMETERS_ARE_FREE: &str = "!has(self.parameters) || self.parameters.all(name, !(name in ['data_directory', 'config_file', 'hba_file', 'ident_file', 'external_pid_file', 'listen_addresses', 'port', 'unix_socket_directories', 'fsync', 'full_page_writes']))";
pub(crate) const PARAMETERS_ARE_FREE_MESSAGE: &str = "spec.database.postgres.parameters must not set what the operator decides (data_directory, config_file, hba_file, ident_file, external_pid_file, listen_addresses, port, unix_socket_directories) or what risks the data (fsync, full_page_writes)";

pub(crate) const TLS_NEEDS_HOST: &str = "!(has(self.ingress) && has(self.ingress.tls)) || has(self.host)";
pub(crate) const TLS_NEEDS_HOST_MESSAGE: &str =
    "spec.exposure.ingress.tls needs spec.exposure.host: a certificate is for a name";

#[cfg(test)]
mod tests;
