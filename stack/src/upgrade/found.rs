//! The object of a stack that has a pod template, as far as an upgrade is concerned.

use super::{Rendering, under_way};
use crate::{
    managed::{Deployment, Key, StatefulSet},
    names,
    observed::Observed,
    resources::{api_deployment, postgres_stateful_set},
    stack::Release,
};

/// What exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) rendering: Rendering,
    /// Revision of the credentials of the template.
    pub(super) revision: String,
    /// Image of the API in the template.
    pub(super) image: String,
    /// Whether pods of another template run, or not all of this one have become ready.
    pub(super) is_rolling: bool,
}

impl Found {
    pub(super) fn database(stack: &str, observed: &Observed) -> Option<Self> {
        // The newest that is known: the caches may lack the last write.
        let metadata = observed.inventory.get(&Key::new::<StatefulSet>(names::database(stack)))?;
        let set = observed.stateful_set.as_deref();
        Some(Self {
            rendering: Rendering::read(metadata),
            revision: postgres_stateful_set::revision(metadata).unwrap_or_default().to_owned(),
            image: String::new(),
            is_rolling: set.is_some_and(|set| {
                under_way::is_restarting(set) || set.metadata.generation < metadata.generation
            }),
        })
    }

    pub(super) fn api(stack: &str, observed: &Observed) -> Option<Self> {
        let metadata = observed.inventory.get(&Key::new::<Deployment>(names::api(stack)))?;
        let Release { image, revision } = api_deployment::released_by(metadata).unwrap_or_default();
        let deployment = observed.deployment.as_deref();
        Some(Self {
            rendering: Rendering::read(metadata),
            revision,
            image,
            is_rolling: deployment.is_some_and(|deployment| {
                under_way::is_rolling_out(deployment) || deployment.metadata.generation < metadata.generation
            }),
        })
    }
}
