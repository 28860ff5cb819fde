//! What was read of one stack, and what may not be read. Reading it is in `inspect.rs`, its report in
//! `examine.rs`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1;
use todostack_crds::{ConditionType, Reason, TodoStack};
use todostack_stack::{config::Config, managed::Kind, observed::Observed, requirements::Requirements};

use crate::forbidden::Forbidden;

#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) stack: TodoStack,
    /// With placeholders for what may not be read.
    pub(crate) observed: Observed,
    pub(crate) forbidden: Vec<Forbidden>,
    pub(crate) config: Config,
}

impl Snapshot {
    /// Whether the resolved credentials are the true ones, not those of a placeholder.
    pub(crate) fn has_true_credentials(&self) -> bool {
        let references = Requirements::from(&self.stack.spec).references;
        let is_generated = references.credentials.is_none() && references.external.is_none();
        is_generated || !self.forbidden.contains(&Forbidden::Managed(Kind::Secret))
    }

    pub(crate) fn published(&self, condition: ConditionType) -> Option<&v1::Condition> {
        let mut conditions = self.stack.status.as_ref()?.conditions.iter();
        conditions.find(|published| published.type_ == condition.as_str())
    }

    /// The condition that says that pods are not replaced yet: they have the settings of before the upgrade.
    pub(crate) fn pending_upgrade(&self) -> Option<&v1::Condition> {
        let reconciling = self.published(ConditionType::Reconciling)?;
        (reconciling.reason == Reason::UpgradePending.as_str()).then_some(reconciling)
    }

    pub(crate) fn is_status_current(&self) -> bool {
        let TodoStack { metadata, status, .. } = &self.stack;
        status.as_ref().is_some_and(|status| status.observed_generation >= metadata.generation)
    }
}
