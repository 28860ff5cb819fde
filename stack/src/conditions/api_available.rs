//! `ApiAvailable`: as many API pods are ready as the spec asks for.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus};
use todostack_crds::{ConditionType::ApiAvailable, Reason};

use super::{Status, Verdict, View};
use crate::{names, part::Part};

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    let name = names::api(&view.stack.id.name);
    let desired = view.stack.api.replicas;
    let ready = ready(view.observed.deployment.as_deref());
    if desired == 0 {
        let message = format!(
            "Deployment {name} is scaled to 0: no API pod is desired. Set spec.api.replicas to 1 or more"
        );
        return Verdict::new(ApiAvailable, Status::False, Reason::ScaledToZero, message);
    }
    if view
        .observed
        .deployment
        .as_deref()
        .is_some_and(|deployment| is_current(deployment) && ready >= desired)
    {
        if let Some(warning) = view.warning(Part::Api) {
            return Verdict::finding(ApiAvailable, warning);
        }
        let message = format!("Deployment {name} has {desired} of {desired} pods ready");
        return Verdict::new(ApiAvailable, Status::True, Reason::AsExpected, message);
    }
    if let Some(finding) = view.finding(Part::Api) {
        return Verdict::finding(ApiAvailable, finding);
    }
    let message = format!("Deployment {name} has {ready} of {desired} pods ready");
    Verdict::new(ApiAvailable, Status::False, Reason::Progressing, message)
}

fn ready(deployment: Option<&Deployment>) -> i32 {
    deployment.and_then(|deployment| deployment.status.as_ref()?.ready_replicas).unwrap_or_default()
}

/// Whether the status is of the Deployment's current spec.
fn is_current(deployment: &Deployment) -> bool {
    let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
    observed.is_some() && observed >= deployment.metadata.generation
}

/// Whether all pods are of the current template and available.
pub fn is_rolled_out(deployment: &Deployment) -> bool {
    let empty = DeploymentStatus::default();
    let status = deployment.status.as_ref().unwrap_or(&empty);
    is_current(deployment)
        && status.updated_replicas == status.replicas
        && status.unavailable_replicas.unwrap_or_default() == 0
}
