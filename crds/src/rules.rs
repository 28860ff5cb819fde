//! The CEL validation rules of the CRD and their messages. The types name the rules of their fields.
//!
//! A rule sees only the type that carries it: `self` is the spec, a part of it, or the whole object. A rule
//! with `oldSelf` is checked on updates only, and only if both versions have the type that carries it. Lists,
//! maps and texts that a rule reads have a maximum size, because the API server rejects a CRD whose rules
//! could cost too much.

pub(crate) use self::changes::*;

mod changes;

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

pub(crate) const SQLITE_HAS_ONE_REPLICA: &str = "\
    !(has(self.database) && has(self.database.sqlite)) || !has(self.api) || !has(self.api.replicas) || \
    self.api.replicas <= 1";
pub(crate) const SQLITE_HAS_ONE_REPLICA_MESSAGE: &str = "\
    spec.api.replicas must be 0 or 1 with spec.database.sqlite, because a SQLite file has only one writer; \
    set it to 1, or use postgres for more replicas";

pub(crate) const ONE_STORAGE: &str = "!(has(self.nfs) && has(self.storageClassName))";
pub(crate) const ONE_STORAGE_MESSAGE: &str =
    "spec.database.postgres.storage must have at most one of nfs and storageClassName; remove the other";

/// Each name in the path has a character that is no dot. A path then has one spelling, by which an
/// administrator can allow it.
pub(crate) const NFS_PATH_IS_NORMAL: &str = "self.path.matches('^(/|(/[.]*[^/.][^/]*)+)$')";
pub(crate) const NFS_PATH_IS_NORMAL_MESSAGE: &str = "\
    storage.nfs.path must not contain '//', '.' or '..' as a directory, or a slash at the end, because each \
    directory must have one spelling; write it as in '/exports/shop'";

/// `hard` is required (PostgreSQL 18 manual, section 18.2.2.1): with a soft mount, a slow server causes I/O
/// errors. Without locks, two servers can open one data directory.
pub(crate) const NFS_OPTIONS_ARE_SAFE: &str = "\
    self.mountOptions.all(option, !(option in ['soft', 'softerr', 'softreval', 'nolock', 'local_lock=all', \
    'local_lock=flock', 'local_lock=posix', 'ro']))";
pub(crate) const NFS_OPTIONS_ARE_SAFE_MESSAGE: &str = "\
    storage.nfs.mountOptions must not contain soft, softerr, softreval, nolock, local_lock or ro, because \
    Postgres would lose data or fail to start; use hard";

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

pub(crate) const ONE_KIND_OF_PROXIES: &str =
    "!has(self.hops) || !has(self.networks) || self.networks.size() == 0";
pub(crate) const ONE_KIND_OF_PROXIES_MESSAGE: &str =
    "exposure.trustedProxies must have at most one of hops and networks; remove the other";
/// As the API reads them.
pub(crate) const NETWORKS_ARE_VALID: &str = "\
    !has(self.networks) || self.networks.all(network, isCIDR(network) || isIP(network))";
pub(crate) const NETWORKS_ARE_VALID_MESSAGE: &str = "\
    exposure.trustedProxies.networks must be networks such as 10.0.0.0/8; correct them";

/// As the API server reads them (`api-server/src/middleware/cors/origin.rs`).
pub(crate) const ORIGINS_CAN_MATCH: &str = "\
    self.allowedOrigins.all(origin, origin.matches('^[A-Za-z][A-Za-z0-9+.-]*://([*][.])?\
    ([A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*|\\\\[[0-9A-Fa-f:.]+\\\\])(:[1-9][0-9]{0,4})?$'))";
pub(crate) const ORIGINS_CAN_MATCH_MESSAGE: &str = "\
    cors.allowedOrigins must be a scheme, a host in ASCII and at most a port, without a slash at the end, \
    because browsers send no other origins; write them as in 'https://app.example.com' or \
    'https://*.example.com'";

#[cfg(test)]
mod tests;
