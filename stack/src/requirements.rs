//! What a spec asks for, as far as it follows from the spec alone: which database, which foreign objects,
//! which export and host. Defaults and everything that depends on observed state are `resolve`'s.

use todostack_crds::{DeletionPolicy, spec::TodoStackSpec, storage::NfsExport};

use crate::observed::Observed;

/// API pods of a stack whose spec does not say: two, so that one node can be drained. SQLite has one writer.
const REPLICAS: i32 = 2;
/// Replicas from which on the API has a PodDisruptionBudget: a budget for a single pod would block the drain
/// of its node forever.
pub(crate) const DISRUPTION_BUDGET_FROM: i32 = 2;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requirements<'a> {
    pub database: DatabaseKind<'a>,
    /// What the deletion of the stack does to data and credentials.
    pub deletion_policy: DeletionPolicy,
    /// The host name under which the API is exposed.
    pub host: Option<&'a str>,
    pub ingress: bool,
    pub replicas: i32,
    pub references: References<'a>,
}

/// Where the todos are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DatabaseKind<'a> {
    /// A Postgres server that the operator runs, on an NFS export or on a volume of a StorageClass.
    Postgres {
        /// The export, for NFS.
        export: Option<&'a NfsExport>,
    },
    /// A Postgres server that the operator does not run.
    External,
    /// A file beside the API.
    Sqlite,
}

/// Names of foreign objects that a spec references.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct References<'a> {
    /// Secret of `spec.database.postgres.credentialsSecret`.
    pub credentials: Option<&'a str>,
    /// Secret of `spec.database.external.secret`.
    pub external: Option<&'a str>,
    /// Secret of `spec.exposure.ingress.tls`.
    pub tls: Option<&'a str>,
    /// ConfigMap of `spec.database.postgres.initScripts`.
    pub init_scripts: Option<&'a str>,
    /// ConfigMap of `spec.api.auth.jwt.jwksCa`.
    pub jwks_ca: Option<&'a str>,
    /// StorageClass of the data's volume.
    pub storage_class: Option<&'a str>,
    /// IngressClass of `spec.exposure.ingress.className`.
    pub ingress_class: Option<&'a str>,
}

impl<'a> From<&'a TodoStackSpec> for Requirements<'a> {
    fn from(spec: &'a TodoStackSpec) -> Self {
        let database = spec.database.as_ref();
        let sqlite = database.and_then(|database| database.sqlite.as_ref());
        let external = database.and_then(|database| database.external.as_ref());
        let postgres = database.and_then(|database| database.postgres.as_ref());
        let storage = postgres.and_then(|postgres| postgres.storage.as_ref());
        let replicas = spec.api.as_ref().and_then(|api| api.replicas);
        let auth = spec.api.as_ref().and_then(|api| api.auth.as_ref());
        let exposure = spec.exposure.as_ref();
        let host = exposure.and_then(|exposure| exposure.host.as_deref());
        let ingress = exposure.and_then(|exposure| exposure.ingress.as_ref());
        let class = storage.and_then(|storage| storage.storage_class_name.as_deref());
        let sqlite_class =
            || sqlite.and_then(|sqlite| sqlite.storage.as_ref()?.storage_class_name.as_deref());
        Self {
            database: match (sqlite, external) {
                (Some(_), _) => DatabaseKind::Sqlite,
                (None, Some(_)) => DatabaseKind::External,
                (None, None) => {
                    DatabaseKind::Postgres { export: storage.and_then(|storage| storage.nfs.as_ref()) }
                }
            },
            deletion_policy: spec.deletion_policy,
            host,
            ingress: host.is_some() || ingress.is_some(),
            replicas: replicas.unwrap_or(if sqlite.is_some() { 1 } else { REPLICAS }),
            references: References {
                credentials: postgres.and_then(|it| Some(it.credentials_secret.as_ref()?.name.as_str())),
                external: external.map(|external| external.secret.name.as_str()),
                tls: ingress.and_then(|ingress| Some(ingress.tls.as_ref()?.secret_name.as_str())),
                init_scripts: postgres
                    .and_then(|it| Some(it.init_scripts.as_ref()?.config_map.name.as_str())),
                jwks_ca: auth.and_then(|auth| Some(auth.jwt.jwks_ca.as_ref()?.config_map.name.as_str())),
                storage_class: class.or_else(sqlite_class),
                ingress_class: ingress.and_then(|ingress| ingress.class_name.as_deref()),
            },
        }
    }
}

impl<'a> Requirements<'a> {
    /// Whether the operator runs the database server.
    pub fn is_postgres(&self) -> bool {
        matches!(self.database, DatabaseKind::Postgres { .. })
    }

    /// Whether the database is a file.
    pub fn is_sqlite(&self) -> bool {
        self.database == DatabaseKind::Sqlite
    }

    /// The NFS export under the database.
    pub fn export(&self) -> Option<&'a NfsExport> {
        match self.database {
            DatabaseKind::Postgres { export } => export,
            DatabaseKind::External | DatabaseKind::Sqlite => None,
        }
    }

    /// With the replicas that the API has, if they are those of a HorizontalPodAutoscaler.
    #[must_use]
    pub fn scaled(self, observed: &Observed) -> Self {
        let spec = observed.deployment.as_deref().and_then(|deployment| deployment.spec.as_ref());
        let replicas = spec.and_then(|spec| spec.replicas).filter(|_| observed.autoscaled);
        Self { replicas: replicas.unwrap_or(self.replicas), ..self }
    }

    /// Whether the stack needs the operator's finalizer: data has no owner reference, so under
    /// `deletionPolicy: Delete` the operator deletes it itself.
    pub fn needs_finalizer(&self) -> bool {
        self.deletion_policy == DeletionPolicy::Delete
    }
}
