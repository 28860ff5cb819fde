//! `Stack`: a `TodoStack` with every default set and every reference resolved. What builders rely on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ResourceRequirements;
use todostack_crds::{
    ConditionType,
    api::{JwtSpec, RateLimitSpec},
    pods::PodSettings,
    postgres::Version,
    status::MigrationStatus,
};

use crate::{
    credentials::Credentials,
    finding::{Finding, Severity},
    part::Part,
    stack_ref::StackRef,
    upgrade::Upgrade,
};

#[derive(Clone, Debug)]
pub struct Stack {
    pub id: StackRef,
    /// Whether only the status is written.
    pub paused: bool,
    pub api: Api,
    pub database: Database,
    pub exposure: Exposure,
    pub migration: Migration,
    pub upgrade: Upgrade,
    /// What is wrong with the spec or with what it references.
    pub findings: Vec<Finding>,
    /// Conditions that the last published status has as false, and since when.
    pub false_since: Vec<(ConditionType, Timestamp)>,
}

#[derive(Clone, Debug)]
pub struct Api {
    /// Image that the spec asks for.
    pub image: String,
    /// `imagePullPolicy` of the API's containers.
    pub image_pull_policy: &'static str,
    /// Desired number of pods.
    pub replicas: i32,
    /// Whether that number is a HorizontalPodAutoscaler's to set.
    pub autoscaled: bool,
    /// CPU and memory of a pod.
    pub resources: ResourceRequirements,
    pub log_level: &'static str,
    /// Origins of web pages that may call the API. All if empty.
    pub allowed_origins: Vec<String>,
    /// Rate limit of one client.
    pub rate_limit: Option<RateLimitSpec>,
    /// JSON Web Tokens that callers need.
    pub jwt: Option<JwtSpec>,
    /// Whether browsers get a page.
    pub has_page: bool,
    /// Connections to the database that each pod may open. None: the pod asks the server.
    pub connections: Option<i32>,
    /// Settings of the pods of the API and of the migration.
    pub pods: PodSettings,
    /// What the pods' template has now: an image reaches it only after its migrations.
    pub release: Release,
}

/// Image and credentials of the API's pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    pub image: String,
    /// Revision of the credentials.
    pub revision: String,
}

/// The migration of the desired image and credentials. Of SQLite, whose file the API migrates itself, the
/// trial of the image on a copy of the file.
#[derive(Clone, Debug, Default)]
pub struct Migration {
    /// Whether the schema is that of the image, and the server accepts the credentials.
    pub is_done: bool,
    /// Whether API pods report that it has to run again.
    pub is_contradicted: bool,
    /// The Job that runs it, ran it, or is created for it. None while the credentials are missing.
    pub job: Option<String>,
    pub plan: JobPlan,
    /// The Job that failed last, until another one has succeeded.
    pub failed: Option<String>,
    /// The last one that completed, for the status.
    pub completed: Option<MigrationStatus>,
}

/// What becomes of the Jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JobPlan {
    #[default]
    None,
    /// The Job of the migration exists, or is created.
    Run,
    /// A Job of this name has served its purpose.
    Delete(String),
}

#[derive(Clone, Debug)]
pub enum Database {
    /// A server that the operator runs.
    Postgres(Box<Postgres>),
    /// A server that the operator does not run.
    External(Box<External>),
    /// A file beside the API.
    Sqlite(Box<Sqlite>),
}

/// A server that the operator runs.
#[derive(Clone, Debug)]
pub struct Postgres {
    pub version: Version,
    /// Image of the server.
    pub image: String,
    /// uid and gid of the server.
    pub run_as_user: i64,
    /// Host name that clients use.
    pub host: String,
    /// Database of the application.
    pub dbname: String,
    /// System identifier of the database. None before the first migration.
    pub system_identifier: Option<String>,
    /// Superuser and application role.
    pub credentials: Credentials,
    pub volume: Volume,
    pub parameters: BTreeMap<String, String>,
    /// ConfigMap with init scripts.
    pub init_scripts: Option<String>,
    /// CPU and memory of a pod.
    pub resources: ResourceRequirements,
    /// Settings of the database pod.
    pub pods: PodSettings,
}

/// A server that the operator does not run.
#[derive(Clone, Debug)]
pub struct External {
    /// Credentials of the application role.
    pub credentials: Credentials,
}

/// A file beside the API.
#[derive(Clone, Debug)]
pub struct Sqlite {
    /// The volume under the file.
    pub volume: Volume,
}

/// A PersistentVolumeClaim and what provides its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Name of the PersistentVolumeClaim.
    pub claim: String,
    /// Size that the spec asks for, as a quantity.
    pub size: String,
    pub source: VolumeSource,
    pub requested: ClaimSpec,
}

/// What the PersistentVolumeClaim is applied with. It follows an existing claim where that cannot change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSpec {
    pub size: String,
    /// Name of the StorageClass. Empty: none is used.
    pub class: Option<String>,
    /// The PersistentVolume that it is to be bound to. None: any of its class.
    pub volume: Option<String>,
}

/// What provides a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// An export of an NFS server, through a managed PersistentVolume.
    Nfs {
        /// Host name or address.
        server: String,
        path: String,
        /// Options of the mount.
        mount_options: Vec<String>,
        /// Name of the PersistentVolume.
        volume: String,
    },
    /// A StorageClass. None: the cluster's default.
    Class(Option<String>),
}

/// How users reach the API.
#[derive(Clone, Debug)]
pub struct Exposure {
    pub host: Option<String>,
    /// The Ingress, if the spec asks for one.
    pub ingress: Option<Ingress>,
    /// `type` of the Service.
    pub service_type: &'static str,
    /// URL of the todos.
    pub url: String,
    /// URL of the API that the spec gives.
    pub public_url: Option<String>,
    /// The proxies whose word about clients counts.
    pub trusted_proxies: TrustedProxies,
}

/// As the API's variables have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedProxies {
    /// That many.
    Hops(i32),
    /// Those with an address there.
    Networks(Vec<String>),
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::Hops(0)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Ingress {
    /// Name of the IngressClass. None: the cluster's default.
    pub class_name: Option<String>,
    pub annotations: BTreeMap<String, String>,
    /// Name of the Secret with the TLS certificate.
    pub tls_secret: Option<String>,
}

impl Database {
    /// Its credentials. None for SQLite, which needs none.
    pub fn credentials(&self) -> Option<&Credentials> {
        match self {
            Self::Postgres(postgres) => Some(&postgres.credentials),
            Self::External(external) => Some(&external.credentials),
            Self::Sqlite(_) => None,
        }
    }
}

impl Stack {
    /// The credentials of the database. None for SQLite, which needs none.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.database.credentials()
    }

    /// Since when a condition is false in the last published status.
    pub fn false_since(&self, condition: ConditionType) -> Option<Timestamp> {
        self.false_since.iter().find(|(known, _)| *known == condition).map(|(_, since)| *since)
    }

    /// Whether a finding prevents that a part is built.
    pub fn is_blocked(&self, part: Part) -> bool {
        self.findings.iter().any(|finding| finding.part == part && finding.severity == Severity::Blocking)
    }

    /// The managed server, unless something forbids to use its volume.
    pub fn startable_postgres(&self) -> Option<&Postgres> {
        match &self.database {
            Database::Postgres(postgres) if !self.is_blocked(Part::Storage) => Some(postgres),
            Database::Postgres(_) | Database::External(_) | Database::Sqlite(_) => None,
        }
    }

    /// The volume, where the stack has one.
    pub fn volume(&self) -> Option<&Volume> {
        match &self.database {
            Database::Postgres(postgres) => Some(&postgres.volume),
            Database::Sqlite(sqlite) => Some(&sqlite.volume),
            Database::External(_) => None,
        }
    }
}
