//! `ApiAvailable`: as many API pods as wanted say that they can serve.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus};
use todostack_crds::{ConditionType::ApiAvailable, Reason};

use super::{Status, Verdict, View};
use crate::{names, part::Part};

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    let name = names::api(&view.stack.id.name);
    let wanted = view.stack.api.replicas;
    let ready = ready(view.observed.deployment.as_deref());
    if view.observed.deployment.as_deref().is_some_and(|deployment| is_seen(deployment) && ready >= wanted) {
        let message = match wanted {
            0 => format!("Deployment {name} is scaled to 0: nothing serves"),
            _ => format!("Deployment {name} has its {wanted} pods ready"),
        };
        return Verdict::new(ApiAvailable, Status::True, Reason::AsExpected, message);
    }
    if let Some(finding) = view.finding(Part::Api) {
        return Verdict::finding(ApiAvailable, finding);
    }
    let message = format!("Deployment {name} has {ready} of {wanted} pods ready");
    Verdict::new(ApiAvailable, Status::False, Reason::Progressing, message)
}

fn ready(deployment: Option<&Deployment>) -> i32 {
    deployment.and_then(|deployment| deployment.status.as_ref()?.ready_replicas).unwrap_or_default()
}

/// Whether the status speaks of the Deployment as it is now.
fn is_seen(deployment: &Deployment) -> bool {
    let seen = deployment.status.as_ref().and_then(|status| status.observed_generation);
    seen.is_some() && seen >= deployment.metadata.generation
}

/// Whether no pod of an earlier template is left.
#[must_use]
pub fn is_rolled_out(deployment: &Deployment) -> bool {
    let nothing = DeploymentStatus::default();
    let status = deployment.status.as_ref().unwrap_or(&nothing);
    is_seen(deployment)
        && status.updated_replicas == status.replicas
        && status.unavailable_replicas.unwrap_or_default() == 0
}
