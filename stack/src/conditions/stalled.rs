//! `Stalled`: abnormal-true, for kstatus: progress needs a change by a user.

use todostack_crds::{ConditionType::Stalled, Reason};

use super::{Status, Verdict, View};
use crate::finding::Severity;

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    match view.findings.iter().find(|finding| finding.severity == Severity::Blocking) {
        Some(finding) => Verdict { status: Status::True, ..Verdict::finding(Stalled, finding) },
        None => Verdict::new(Stalled, Status::False, Reason::AsExpected, "Nothing needs a change by a user"),
    }
}
