//! `Exposed`: users can reach the API.

use todostack_crds::{ConditionType::Exposed, Reason};

use super::{Status, Verdict, View};
use crate::{diagnose::has_address, names, part::Part};

const NO_BALANCER: &str =
    ". If the cluster has no controller of load balancers, set spec.exposure.service.type: NodePort";

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    if let Some(finding) = view.finding(Part::Exposure) {
        return Verdict::finding(Exposed, finding);
    }
    let exposure = &view.stack.exposure;
    if exposure.ingress.is_some() {
        if let Some(warning) = view.warning(Part::Exposure) {
            return Verdict::finding(Exposed, warning);
        }
        let has_address = view.observed.ingress.as_deref().is_some_and(has_address);
        return verdict(has_address, &format!("Ingress {}", names::ingress(&view.stack.id.name)), "");
    }
    let service = format!("Service {}", names::api(&view.stack.id.name));
    if exposure.service_type == "LoadBalancer" && balancer_address(view).is_none() {
        return verdict(false, &service, NO_BALANCER);
    }
    if let Some(warning) = view.warning(Part::Exposure) {
        return Verdict::finding(Exposed, warning);
    }
    if exposure.service_type == "LoadBalancer" {
        return verdict(true, &service, NO_BALANCER);
    }
    Verdict::new(
        Exposed,
        Status::True,
        Reason::AsExpected,
        format!("{service} is reachable inside the cluster"),
    )
}

fn verdict(has_address: bool, object: &str, remedy: &str) -> Verdict {
    if has_address {
        return Verdict::new(Exposed, Status::True, Reason::AsExpected, format!("{object} has an address"));
    }
    let message = format!("{object} has no address yet: its controller has not assigned one{remedy}");
    Verdict::new(Exposed, Status::False, Reason::AddressPending, message)
}

/// Host name or IP address of the API's load balancer.
pub fn balancer_address(view: View<'_>) -> Option<String> {
    let status = view.observed.api_service.as_ref()?.status.as_ref()?;
    let first = status.load_balancer.as_ref()?.ingress.as_ref()?.first()?;
    first.hostname.clone().or_else(|| first.ip.clone())
}
