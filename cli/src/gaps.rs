//! What the user may not read: what that leaves unchecked, and which conditions are then taken from the operator's
//! word instead. What stands in for the unread lives in `observed.rs`.

use todostack_crds::ConditionType;

/// A kind that the user may not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Gap {
    Secrets,
    ConfigMaps,
    Services,
    ServiceAccounts,
    Claims,
    Volumes,
    StatefulSets,
    Deployments,
    Jobs,
    Ingresses,
    Pods,
    Events,
    StorageClasses,
    IngressClasses,
    Operator,
}

impl Gap {
    /// What is said of it.
    pub(crate) fn note(self) -> &'static str {
        match self {
            Self::Secrets => "not allowed to read Secrets: logins are not checked",
            Self::ConfigMaps => "not allowed to read ConfigMaps: init scripts are not checked",
            Self::Services => "not allowed to read Services: they are not checked",
            Self::ServiceAccounts => "not allowed to read ServiceAccounts: they are not checked",
            Self::Claims => "not allowed to read PersistentVolumeClaims: the volume is not checked",
            Self::Volumes => "not allowed to read PersistentVolumes: the claim alone is checked",
            Self::StatefulSets => "not allowed to read StatefulSets: the database is not checked",
            Self::Deployments => "not allowed to read Deployments: the API is not checked",
            Self::Jobs => "not allowed to read Jobs: migrations are not checked",
            Self::Ingresses => "not allowed to read Ingresses: they are not checked",
            Self::Pods => "not allowed to read pods: why they do not run is not checked",
            Self::Events => "not allowed to read Events: mounts and refusals are not checked",
            Self::StorageClasses => "not allowed to read StorageClasses: the operator's word stands for them",
            Self::IngressClasses => "not allowed to read IngressClasses: the operator's word stands for them",
            Self::Operator => {
                "the operator's settings cannot be read from its Deployment: a stack that names no image is taken to want the one it runs"
            }
        }
    }

    /// The condition that cannot be judged without it.
    pub(crate) fn condition(self) -> Option<ConditionType> {
        match self {
            Self::Secrets => Some(ConditionType::CredentialsValid),
            Self::Claims => Some(ConditionType::StorageReady),
            Self::StatefulSets => Some(ConditionType::DatabaseReady),
            Self::Jobs => Some(ConditionType::MigrationsApplied),
            Self::Deployments => Some(ConditionType::ApiAvailable),
            Self::Ingresses | Self::Services => Some(ConditionType::Exposed),
            Self::ConfigMaps
            | Self::ServiceAccounts
            | Self::Volumes
            | Self::Pods
            | Self::Events
            | Self::StorageClasses
            | Self::IngressClasses
            | Self::Operator => None,
        }
    }
}
