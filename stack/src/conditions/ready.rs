//! `Ready`: the sum of all parts. The first finding in the order of causality is the root cause, and becomes
//! its message.

use todostack_crds::{ConditionType::Ready, Reason};

use super::{Status, Verdict, View};

pub(super) fn evaluate(view: View<'_>, parts: &[Verdict]) -> Verdict {
    if let Some(finding) = view.findings.iter().find(|finding| !finding.is_warning()) {
        return Verdict::finding(Ready, finding);
    }
    match parts.iter().find(|part| part.status != Status::True) {
        Some(part) => Verdict { condition: Ready, status: Status::False, ..part.clone() },
        None => Verdict::new(
            Ready,
            Status::True,
            Reason::AsExpected,
            format!("Serving at {}", view.stack.exposure.url),
        ),
    }
}
