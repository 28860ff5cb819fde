//! The PodDisruptionBudget of the API: draining a node evicts one API pod at a time.

use k8s_openapi::{
    api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use crate::{
    build::Desired,
    labels::{self, Component},
    managed::Key,
    names,
    requirements::DISRUPTION_BUDGET_FROM,
    stack::Stack,
};

pub(crate) fn desired(stack: &Stack) -> Desired {
    if stack.api.replicas >= DISRUPTION_BUDGET_FROM {
        Desired::Apply(build(stack).into())
    } else {
        Desired::Delete(Key::new::<PodDisruptionBudget>(names::api(&stack.id.name)))
    }
}

fn build(stack: &Stack) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: labels::owned(stack, names::api(&stack.id.name), Component::Api),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(labels::selector(stack, Component::Api)),
            // By default, pods that are not ready count as disrupted and cannot be evicted, so that an API
            // without its database would block a drain.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::fixtures::resolved;

    #[rstest]
    #[case::default("{}", true)]
    #[case::two("{api: {replicas: 2}}", true)]
    #[case::one("{api: {replicas: 1}}", false)]
    #[case::none("{api: {replicas: 0}}", false)]
    #[case::sqlite("{database: {sqlite: {}}}", false)]
    fn there_is_a_budget_from_two_replicas_on(#[case] spec: &str, #[case] expected: bool) {
        assert_eq!(matches!(desired(&resolved(spec)), Desired::Apply(_)), expected);
    }
}
