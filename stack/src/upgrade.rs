//! Upgrades that hurt nobody: which changes of a pod template are the operator's, and not the stack's, so
//! that they may wait. How many go on at a time is the operator's to limit (`operator/src/upgrades.rs`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::ResourceExt as _;
use todostack_crds::TodoStack;

use crate::{
    build::Desired,
    config::Config,
    hash,
    maintenance::Window,
    managed::{Job, ManagedResource},
    observed::Observed,
    resources::migration_job,
    stack::{Release, Stack},
};

pub use self::{earlier::Earlier, renderer::renderer, under_way::under_way};

use self::{
    found::Found,
    rendering::{Rendering, is_marked, mark},
};

mod earlier;
mod found;
mod inputs;
mod renderer;
mod rendering;
mod under_way;

/// Pods that are replaced together, and limited together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Rollout {
    /// The pod of the database: it restarts.
    Database,
    /// The pods of the API, and the migration before them.
    Api,
}

impl Rollout {
    pub const ALL: [Self; 2] = [Self::Database, Self::Api];

    /// The object with the template.
    pub fn resource(self) -> ManagedResource {
        match self {
            Self::Database => ManagedResource::PostgresStatefulSet,
            Self::Api => ManagedResource::ApiDeployment,
        }
    }
}

/// What an upgrade needs to know of a stack, and what of it waits.
#[derive(Clone, Debug, Default)]
pub struct Upgrade {
    /// Hash of the version and the settings of this operator. Set by the caller of `resolve`, which computes
    /// it once.
    pub renderer: String,
    /// Whether the last status is of an earlier spec.
    is_edited: bool,
    /// Whether the spec names the image of the API.
    has_own_image: bool,
    /// Hash of the fields of the spec that the database's template is rendered from.
    inputs: String,
    database: Option<Found>,
    api: Option<Found>,
    /// Whether the Job of an upgrade exists.
    has_job: bool,
    /// Settings of the operator that the stack still has from before.
    pub earlier: Earlier,
    /// The rollouts that wait, and for what.
    pub held: Vec<(Rollout, Wait)>,
    /// The rollouts that begin with this reconcile.
    pub permitted: Vec<Rollout>,
    /// Objects that stay as they are.
    kept: Vec<ManagedResource>,
}

/// What a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until fewer other stacks restart.
    Others,
    /// For the window of this text.
    Window(String),
    /// The annotation with the window is invalid.
    InvalidWindow,
}

/// Whether a rollout needs a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing is rolled out by an upgrade.
    None,
    /// It has begun.
    UnderWay,
    /// It may begin with a permit.
    Permit,
    Wait(Wait),
}

impl Upgrade {
    pub(crate) fn new(todostack: &TodoStack, observed: &Observed, config: &Config) -> Self {
        let name = todostack.name_any();
        let status = todostack.status.as_ref();
        let observed_generation = status.and_then(|status| status.observed_generation);
        Self {
            renderer: String::new(),
            is_edited: observed_generation != todostack.metadata.generation,
            has_own_image: todostack.spec.api.as_ref().is_some_and(|api| api.image.is_some()),
            inputs: inputs::hash(todostack),
            database: Found::database(&name, observed),
            api: Found::api(&name, observed),
            has_job: observed.jobs.iter().any(|job| is_marked(&job.metadata)),
            earlier: Earlier::new(todostack, observed, config),
            held: Vec::new(),
            permitted: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn is_held(&self, rollout: Rollout) -> bool {
        self.held.iter().any(|(held, _)| *held == rollout)
    }

    fn found(&self, rollout: Rollout) -> Option<&Found> {
        match rollout {
            Rollout::Database => self.database.as_ref(),
            Rollout::Api => self.api.as_ref(),
        }
    }
}

/// The annotations of an object with this template. They are those of before as long as the template is the
/// same, so that an upgrade that changes no template writes nothing.
pub(crate) fn annotations(
    stack: &Stack,
    rollout: Rollout,
    template: &PodTemplateSpec,
) -> BTreeMap<String, String> {
    let template = hash::short(&[&serde_json::to_string(template).unwrap_or_default()]);
    let upgrade = &stack.upgrade;
    let found = upgrade.found(rollout);
    if let Some(found) = found.filter(|found| found.rendering.template == template) {
        return found.rendering.clone().annotations();
    }
    let goes_on = found.is_some_and(|found| found.rendering.is_upgrade && found.is_rolling);
    let inputs = if rollout == Rollout::Database { upgrade.inputs.clone() } else { String::new() };
    let is_upgrade = found.is_some_and(|found| is_operators(stack, rollout, found))
        || goes_on
        || (rollout == Rollout::Api && upgrade.has_job);
    // What waits stays an upgrade of the operator.
    let renderer = found.filter(|_| upgrade.is_held(rollout)).map(|found| &found.rendering.renderer);
    let renderer = renderer.unwrap_or(&upgrade.renderer).clone();
    Rendering { template, renderer, inputs, is_upgrade }.annotations()
}

/// The annotation of a migration Job that an upgrade needs.
pub(crate) fn job_annotation(stack: &Stack) -> Option<(String, String)> {
    is_due(stack, Rollout::Api).then(mark)
}

/// Whether a change of the template comes from the operator alone. A change of the stack is one of its spec,
/// or of the credentials.
fn is_operators(stack: &Stack, rollout: Rollout, found: &Found) -> bool {
    let upgrade = &stack.upgrade;
    let revision = match rollout {
        Rollout::Database => stack.credentials().and_then(|it| it.superuser.as_ref()).map(|it| &it.revision),
        Rollout::Api => Some(&stack.api.release.revision),
    };
    let is_new_image =
        rollout == Rollout::Api && upgrade.has_own_image && found.image != stack.api.release.image;
    if revision != Some(&found.revision) || is_new_image || found.rendering.renderer == upgrade.renderer {
        return false;
    }
    let has_same_inputs = rollout == Rollout::Database && found.rendering.inputs == upgrade.inputs;
    has_same_inputs || !upgrade.is_edited
}

/// Whether the operator alone changes what the pods are made from.
fn is_due(stack: &Stack, rollout: Rollout) -> bool {
    let Some(found) = stack.upgrade.found(rollout) else { return false };
    // Most reconciles end here. Nothing is rendered.
    if !is_operators(stack, rollout, found) {
        return false;
    }
    let Desired::Apply(object) = rollout.resource().desired(stack) else { return false };
    let is_other_template = Rendering::read(object.metadata()).template != found.rendering.template;
    is_other_template || (rollout == Rollout::Api && stack.upgrade.earlier != Earlier::default())
}

/// What a rollout needs to go on.
pub fn need(stack: &Stack, observed: &Observed, rollout: Rollout, gate: Gate<'_>) -> Need {
    let found = stack.upgrade.found(rollout);
    let is_rolling = found.is_some_and(|found| found.rendering.is_upgrade && found.is_rolling);
    let has_job = rollout == Rollout::Api && has_begun_to_migrate(stack, observed);
    let is_due = is_due(stack, rollout);
    match gate {
        _ if is_rolling || has_job && (is_due || stack.upgrade.has_job) => Need::UnderWay,
        _ if !is_due => Need::None,
        Gate::Open => Need::Permit,
        Gate::Closed(window) => Need::Wait(Wait::Window(window.text().to_owned())),
        Gate::Invalid => Need::Wait(Wait::InvalidWindow),
    }
}

/// Whether upgrades may restart pods now.
#[derive(Clone, Copy, Debug)]
pub enum Gate<'a> {
    Open,
    Closed(&'a Window),
    Invalid,
}

/// Whether a Job of the desired image exists whose release the pods do not have yet. It is never taken back.
fn has_begun_to_migrate(stack: &Stack, observed: &Observed) -> bool {
    let Release { image, revision } = &stack.api.release;
    let is_released =
        stack.upgrade.api.as_ref().is_some_and(|it| it.image == *image && it.revision == *revision);
    let is_needed = |job: &Job| {
        job.metadata.deletion_timestamp.is_none()
            && migration_job::image(job) == Some(&stack.api.image)
            && !(is_released && migration_job::complete(job))
    };
    observed.jobs.iter().any(|job| is_needed(job))
}

impl Stack {
    /// Sets what waits. With a permit, the API's pods wait for the migration.
    pub fn hold(&mut self, held: Vec<(Rollout, Wait)>) {
        let is_migrated = self.migration.is_done;
        self.upgrade.held = held;
        let upgrade = &self.upgrade;
        // Changes of the stack go on while an upgrade waits, such as other credentials.
        let is_kept = |rollout: &Rollout| {
            if upgrade.is_held(*rollout) {
                upgrade.found(*rollout).is_some_and(|found| is_operators(self, *rollout, found))
            } else {
                *rollout == Rollout::Api && !is_migrated && is_due(self, *rollout)
            }
        };
        self.upgrade.kept = Rollout::ALL.into_iter().filter(is_kept).map(Rollout::resource).collect();
    }
}

/// Whether an object stays as it is because its pods may not be replaced yet.
pub(crate) fn keeps(stack: &Stack, resource: ManagedResource) -> bool {
    stack.upgrade.kept.contains(&resource)
}

#[cfg(test)]
mod tests;
