//! A `Stack`: a `TodoStack` with every default filled and every question answered; what builders rely on. No logic here.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ResourceRequirements, Toleration};
use todostack_crds::{
    DeletionPolicy,
    api::{JwtSpec, RateLimitSpec},
};

use crate::{
    credentials::Credentials,
    finding::{Finding, Severity},
    part::Part,
    stack_ref::StackRef,
};

/// One stack, resolved.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its identity.
    pub id: StackRef,
    /// What becomes of data and credentials.
    pub deletion_policy: DeletionPolicy,
    /// Nothing is to be written but the status.
    pub paused: bool,
    /// The API server.
    pub api: Api,
    /// The database.
    pub database: Database,
    /// How people reach it.
    pub exposure: Exposure,
    /// What is wrong with the spec or with what it references.
    pub findings: Vec<Finding>,
}

/// The API server.
#[derive(Clone, Debug)]
pub struct Api {
    /// Image that the spec asks for.
    pub image: String,
    /// `imagePullPolicy` of the API's containers.
    pub image_pull_policy: &'static str,
    /// Wanted pods.
    pub replicas: i32,
    /// CPU and memory.
    pub resources: ResourceRequirements,
    /// Value of `TODOSTACK_LOG_LEVEL`.
    pub log_level: &'static str,
    /// Origins whose pages may call; all when empty.
    pub allowed_origins: Vec<String>,
    /// How much one client may ask for.
    pub rate_limit: Option<RateLimitSpec>,
    /// The tokens that callers need.
    pub jwt: Option<JwtSpec>,
    /// What the pods' template may carry now: an image reaches it only after its migrations.
    pub release: Release,
}

/// Image and credentials that the API's pods run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Image of the pods.
    pub image: String,
    /// Revision of the credentials that they were started with.
    pub revision: String,
}

/// The database, one of three kinds.
#[derive(Clone, Debug)]
pub enum Database {
    /// A server that the operator runs.
    Postgres(Box<Postgres>),
    /// A server that somebody else runs.
    External(External),
    /// A file beside the API.
    Sqlite(Sqlite),
}

/// A server that the operator runs.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// Major version.
    pub version: String,
    /// Image of the server.
    pub image: String,
    /// Host name that clients use.
    pub host: String,
    /// Database of the application.
    pub dbname: String,
    /// Superuser and application role; none while what they come from is missing.
    pub credentials: Credentials,
    /// The volume.
    pub volume: Volume,
    /// Server settings.
    pub parameters: BTreeMap<String, String>,
    /// ConfigMap with init scripts.
    pub init_scripts: Option<String>,
    /// CPU and memory.
    pub resources: ResourceRequirements,
    /// Labels of the node.
    pub node_selector: BTreeMap<String, String>,
    /// Tolerated taints.
    pub tolerations: Vec<Toleration>,
}

/// A server that somebody else runs.
#[derive(Clone, Debug)]
pub struct External {
    /// Its login; none while the Secret is missing or wrong.
    pub credentials: Credentials,
}

/// A file beside the API.
#[derive(Clone, Debug)]
pub struct Sqlite {
    /// The volume under the file.
    pub volume: Volume,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Name of the claim.
    pub claim: String,
    /// Requested size, as a quantity.
    pub size: String,
    /// What provides it.
    pub source: VolumeSource,
}

/// What provides a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// An export of an NFS server, through a PersistentVolume of ours.
    Nfs {
        /// Host name or address.
        server: String,
        /// Absolute path.
        path: String,
        /// Options of the mount.
        mount_options: Vec<String>,
        /// Name of the PersistentVolume.
        volume: String,
    },
    /// A StorageClass; none: the cluster's default.
    Class(Option<String>),
}

/// How people reach the API.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// Host name.
    pub host: Option<String>,
    /// The Ingress, when there is to be one.
    pub ingress: Option<Ingress>,
    /// `type` of the Service.
    pub service_type: &'static str,
    /// Where the API answers once all is well.
    pub url: String,
}

/// The Ingress.
#[derive(Clone, Debug, Default)]
pub struct Ingress {
    /// Name of the class; none: the cluster's default.
    pub class_name: Option<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Name of the Secret with the certificate.
    pub tls_secret: Option<String>,
}

impl Stack {
    /// The login of the API, once there is one; SQLite needs none.
    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        match &self.database {
            Database::Postgres(postgres) => Some(&postgres.credentials),
            Database::External(external) => Some(&external.credentials),
            Database::Sqlite(_) => None,
        }
    }

    /// Whether a finding prevents that a part is built.
    #[must_use]
    pub fn is_blocked(&self, part: Part) -> bool {
        self.findings.iter().any(|finding| finding.part == part && finding.severity == Severity::Blocking)
    }

    /// The managed server, unless something forbids to use its volume.
    #[must_use]
    pub fn startable_postgres(&self) -> Option<&Postgres> {
        match &self.database {
            Database::Postgres(postgres) if !self.is_blocked(Part::Storage) => Some(postgres),
            Database::Postgres(_) | Database::External(_) | Database::Sqlite(_) => None,
        }
    }

    /// The volume, where the stack has one.
    #[must_use]
    pub fn volume(&self) -> Option<&Volume> {
        match &self.database {
            Database::Postgres(postgres) => Some(&postgres.volume),
            Database::Sqlite(sqlite) => Some(&sqlite.volume),
            Database::External(_) => None,
        }
    }
}
