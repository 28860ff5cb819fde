//! Objects that belong to someone else, and objects that the cluster does not take.

use todostack_crds::Reason;

use super::{Evidence, Finding, Part};

/// Findings on the objects themselves.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let namespace = &evidence.stack.namespace;
    let foreign = evidence.observed.foreign.iter().map(|key| Finding {
        part: Part::Objects,
        object: key.to_string(),
        reason: Reason::NameTaken,
        problem: "has a name that this stack needs, and the operator did not make it".to_owned(),
        remedy: "It stays untouched. Rename or delete it, or give the stack another name".to_owned(),
        needs_person: true,
    });
    let refused = evidence.applied.refused.iter().map(|(key, words)| Finding {
        part: Part::Objects,
        object: key.to_string(),
        reason: Reason::ApplyRefused,
        problem: format!("is refused by the API server: {}", words.trim_end_matches('.')),
        remedy: format!(
            "See the quotas and policies of namespace {namespace}: kubectl describe namespace {namespace}"
        ),
        needs_person: true,
    });
    foreign.chain(refused).collect()
}
