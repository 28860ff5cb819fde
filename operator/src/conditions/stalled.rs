//! `Stalled`: abnormal-true, read by kstatus: it goes on only when a person changes something.

use todostack_crds::{ConditionType::Stalled, Reason};

use super::{Status, Verdict, View};

pub(super) fn judge(view: View<'_>) -> Verdict {
    match view.findings.iter().find(|finding| finding.needs_person) {
        Some(finding) => Verdict::new(Stalled, Status::True, finding.reason, finding.message()),
        None => Verdict::new(Stalled, Status::False, Reason::AsExpected, "Nothing waits for a person"),
    }
}
