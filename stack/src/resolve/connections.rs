//! How many connections to the database each API pod may open, so that all of them fit into the server's
//! limit.

use todostack_crds::Reason;

use crate::{
    finding::{Finding, Severity},
    names,
    part::Part,
    stack::{Database, Postgres},
    stack_ref::StackRef,
};

/// Numbers of connections of a pod. More than the first make it no faster, and it does not start with fewer
/// than the last. There are steps because a change replaces all pods, and a HorizontalPodAutoscaler changes
/// the number of replicas often.
const STEPS: [i32; 4] = [16, 12, 8, 6];
const FEWEST: i32 = 6;
/// Default of `max_connections`.
const MAX_CONNECTIONS: i32 = 100;
/// Default of `superuser_reserved_connections`.
const SUPERUSER_RESERVED: i32 = 3;
/// Connections for the migration and for a user's psql.
const OTHERS: i32 = 5;
/// Pods beyond `replicas` during a rollout: `maxSurge` of the Deployment.
const SURGE: i32 = 1;

/// The connections of one pod. None if the limit is not the operator's to know: the pod then asks the server.
pub(super) fn per_pod(
    database: &Database,
    replicas: i32,
    id: &StackRef,
    findings: &mut Vec<Finding>,
) -> Option<i32> {
    let Database::Postgres(postgres) = database else { return None };
    let limit = setting(postgres, "max_connections", MAX_CONNECTIONS)?;
    let reserved = setting(postgres, "superuser_reserved_connections", SUPERUSER_RESERVED)?
        .saturating_add(setting(postgres, "reserved_connections", 0)?)
        .saturating_add(OTHERS);
    let pods = replicas.max(0).saturating_add(SURGE);
    let share = limit.saturating_sub(reserved).checked_div(pods)?;
    if share < FEWEST && replicas > 0 {
        let needed = pods.saturating_mul(FEWEST).saturating_add(reserved);
        findings.push(too_few(&names::api(&id.name), limit, needed));
    }
    Some(STEPS.into_iter().find(|step| *step <= share).unwrap_or(FEWEST))
}

fn setting(postgres: &Postgres, name: &str, default: i32) -> Option<i32> {
    postgres.parameters.get(name).map_or(Some(default), |value| value.trim().parse().ok())
}

fn too_few(deployment: &str, limit: i32, needed: i32) -> Finding {
    Finding::new(Part::Api, Reason::TooFewConnections, format!("Deployment {deployment}"))
        .problem(format!("has more pods than the {limit} connections of the database are enough for"))
        .remedy(format!(
            "Set spec.database.postgres.parameters.max_connections: \"{needed}\", or lower spec.api.replicas"
        ))
        .evident_in_spec()
        .severity(Severity::Warning)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::fixtures::resolved;

    #[rstest]
    #[case::default("{}", Some(16))]
    #[case::five("{api: {replicas: 5}}", Some(12))]
    #[case::eight("{api: {replicas: 8}}", Some(8))]
    #[case::fourteen("{api: {replicas: 14}}", Some(6))]
    #[case::too_many("{api: {replicas: 50}}", Some(6))]
    #[case::raised(
        "{api: {replicas: 50}, database: {postgres: {parameters: {max_connections: '900'}}}}",
        Some(16)
    )]
    #[case::stopped("{api: {replicas: 0}}", Some(16))]
    #[case::sqlite("{database: {sqlite: {}}}", None)]
    #[case::external("{database: {external: {secret: {name: x}}}}", None)]
    fn each_pod_has_its_share(#[case] spec: &str, #[case] expected: Option<i32>) {
        assert_eq!(resolved(spec).api.connections, expected);
    }

    #[test]
    fn the_remedy_for_too_few_connections_heals() {
        let finding = |spec: &str| {
            let findings = resolved(spec).findings;
            findings.into_iter().find(|finding| finding.reason == Reason::TooFewConnections)
        };
        let remedy = finding("{api: {replicas: 50}}").unwrap().remedy;
        assert!(remedy.contains("max_connections: \"314\""), "{remedy}");
        let healed = "{api: {replicas: 50}, database: {postgres: {parameters: {max_connections: '314'}}}}";
        assert_eq!(finding(healed), None);
    }

    proptest! {
        // Without a warning, a rollout never exceeds the server's limit.
        #[test]
        fn all_pods_fit_into_the_limit(replicas in 1..1000_i32, limit in 20..9000_i32) {
            let stack = resolved(&format!(
                "{{api: {{replicas: {replicas}}}, database: {{postgres: {{parameters: {{max_connections: '{limit}'}}}}}}}}"
            ));
            let total = stack.api.connections.unwrap() * (replicas + 1) + 3;
            let warned = stack.findings.iter().any(|finding| finding.reason == Reason::TooFewConnections);
            prop_assert!(warned || total <= limit, "{total} of {limit}");
        }
    }
}
