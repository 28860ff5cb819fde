//! The parts of a stack, in the order of causality, with all that depends on the part alone. Findings are in
//! `finding.rs`.

use todostack_crds::ConditionType;

/// A part of a stack. What is wrong in one part explains what is wrong in the parts after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::EnumIter)]
pub enum Part {
    /// The objects themselves: who owns them, whether the API server accepts them.
    Objects,
    Credentials,
    Storage,
    Database,
    Migrations,
    Api,
    Exposure,
}

impl Part {
    pub fn condition(self) -> ConditionType {
        match self {
            Self::Objects => ConditionType::Ready,
            Self::Credentials => ConditionType::CredentialsValid,
            Self::Storage => ConditionType::StorageReady,
            Self::Database => ConditionType::DatabaseReady,
            Self::Migrations => ConditionType::MigrationsApplied,
            Self::Api => ConditionType::ApiAvailable,
            Self::Exposure => ConditionType::Exposed,
        }
    }

    /// The field of the spec that holds the settings of the part's pods.
    pub fn spec_field(self) -> &'static str {
        match self {
            Self::Credentials | Self::Storage | Self::Database => "spec.database.postgres",
            Self::Objects | Self::Migrations | Self::Api | Self::Exposure => "spec.api",
        }
    }

    /// A pod of the part, as the subject of a message.
    pub fn pod_noun(self) -> &'static str {
        match self {
            Self::Credentials | Self::Storage | Self::Database => "The database pod",
            Self::Migrations => "The migration pod",
            Self::Objects | Self::Api | Self::Exposure => "An API pod",
        }
    }

    /// What the operator does for the part, for the `action` of an Event.
    pub fn action(self) -> &'static str {
        match self {
            Self::Objects => "Apply",
            Self::Credentials => "CheckCredentials",
            Self::Storage => "ProvideVolume",
            Self::Database => "RunDatabase",
            Self::Migrations => "Migrate",
            Self::Api => "RollOut",
            Self::Exposure => "Expose",
        }
    }
}
