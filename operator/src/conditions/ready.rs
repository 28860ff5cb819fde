//! `Ready`: the sum. What is wrong first in the order of causality is the root cause, and stands here.

use todostack_crds::{ConditionType::Ready, Reason};

use super::{Status, Verdict, View};

pub(super) fn judge(view: View<'_>, parts: &[Verdict]) -> Verdict {
    if let Some(finding) = view.findings.first() {
        return Verdict::finding(Ready, finding);
    }
    match parts.iter().find(|part| part.status != Status::True) {
        Some(part) => Verdict::new(Ready, Status::False, part.reason, part.message.clone()),
        None => Verdict::new(
            Ready,
            Status::True,
            Reason::AsExpected,
            format!("Serving at {}", view.stack.exposure.url),
        ),
    }
}
