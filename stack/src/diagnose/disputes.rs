//! Fields that another controller takes again and again. Counting the rounds is the operator's.

use todostack_crds::Reason;

use super::{Evidence, Finding, Part, Severity};
use crate::{
    applied::Dispute,
    build::{Desired, build},
    managed::Key,
    stack::Stack,
};

pub(super) fn findings(evidence: Evidence<'_>) -> impl Iterator<Item = Finding> {
    evidence.applied.disputes.iter().map(move |dispute| finding(dispute, evidence))
}

fn finding(dispute: &Dispute, evidence: Evidence<'_>) -> Finding {
    let Dispute { key, manager, field } = dispute;
    let namespace = &evidence.stack.id.namespace;
    let who =
        manager.as_ref().map_or_else(|| "a client that managedFields do not show".to_owned(), Clone::clone);
    let kind = <&str>::from(key.kind).to_lowercase();
    let scope = if key.kind.is_namespaced() { format!("-n {namespace} ") } else { String::new() };
    Finding::new(part(key, evidence.stack), Reason::FieldConflict, key.to_string())
        .problem(format!(
            "is changed again and again by {who}, which takes {field}: the operator corrects it rarely now"
        ))
        .remedy(format!(
            "Remove {field} from what {who} writes, or stop it: kubectl {scope}get {kind} {} --show-managed-fields -o yaml",
            key.name
        ))
        .evidence(format!("managedFields of {key}"))
        .related(key.reference(namespace))
        .severity(Severity::Warning)
}

/// The part that the object shows.
fn part(key: &Key, stack: &Stack) -> Part {
    let mut objects = build(stack).into_iter();
    let resource = objects.find(|(_, desired)| match desired {
        Desired::Apply(object) => object.key() == *key,
        Desired::Keep | Desired::Delete(_) => false,
    });
    resource.map_or(Part::Objects, |(resource, _)| resource.part())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use todostack_crds::ConditionType;

    use super::*;
    use crate::{
        applied::Applied,
        conditions::{self, View},
        diagnose::diagnose,
        fixtures::{now, resolved},
        managed::Kind,
        observed::Observed,
    };

    #[rstest]
    #[case(Kind::ServiceAccount, "shop", Part::Api)]
    #[case(Kind::Secret, "shop-db-app", Part::Credentials)]
    #[case(Kind::PersistentVolumeClaim, "shop-db", Part::Storage)]
    #[case(Kind::Service, "shop-db", Part::Database)]
    #[case(Kind::StatefulSet, "shop-db", Part::Database)]
    #[case(Kind::Service, "shop-api", Part::Exposure)]
    #[case(Kind::Deployment, "shop-api", Part::Api)]
    fn a_conflict_names_object_manager_and_field(#[case] kind: Kind, #[case] name: &str, #[case] part: Part) {
        let dispute = Dispute {
            key: Key { kind, name: name.to_owned() },
            manager: Some("argocd-controller".to_owned()),
            field: "metadata.labels.team".to_owned(),
        };
        // So that there is no other finding.
        let (stack, observed) = (resolved("{}"), Observed { confined: true, ..Observed::default() });
        let applied = Applied { disputes: vec![dispute], ..Applied::default() };
        let evidence = Evidence { stack: &stack, observed: &observed, applied: &applied, now: now() };
        let findings = diagnose(evidence);
        let found = findings.iter().find(|finding| finding.reason == Reason::FieldConflict).unwrap();
        assert_eq!((found.part, found.severity), (part, Severity::Warning));
        let message = found.message();
        assert!(message.contains(&format!("{} {name}", <&str>::from(kind))), "{message}");
        assert!(message.contains("argocd-controller, which takes metadata.labels.team"), "{message}");
        let view = View { stack: &stack, observed: &observed, findings: &findings };
        let verdicts = conditions::evaluate(view);
        let stalled = verdicts.iter().find(|it| it.condition == ConditionType::Stalled).unwrap();
        assert_eq!(stalled.status, conditions::Status::False);
    }
}
