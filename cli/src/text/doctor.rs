//! `doctor`: the cluster's checks, each stack in a line, and what is wrong with it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{FAINT, STRONG, headline, notes, paint, sign, status};
use crate::{
    cluster::Check,
    report::{Health, Mark, Report, part_name},
};

/// Writes checks and stacks.
pub(crate) fn text(checks: &[Check], stacks: &Stacks, now: Timestamp) -> String {
    let mut lines = vec![paint(STRONG, "Cluster")];
    for Check { name, mark, state, remedy } in checks {
        lines.push(format!("{} {name:<13} {state}", sign(*mark)));
        if !remedy.is_empty() {
            lines.push(format!("  {}  {remedy}", paint(FAINT, "do")));
        }
    }
    lines.extend([String::new(), paint(STRONG, "Stacks")]);
    match stacks {
        Stacks::Unserved => lines.push("none: the cluster does not know them".to_owned()),
        Stacks::Examined(reports) if reports.is_empty() => lines.push("there is none here".to_owned()),
        Stacks::Examined(reports) => {
            for report in reports {
                lines.push(headline(report, now).trim_end().to_owned());
                lines.extend(report.notes.iter().map(|note| format!("  {note}")));
                for finding in &report.findings {
                    lines.push(format!("  {} ({})", part_name(finding.part), finding.reason));
                    lines.extend(status::finding(finding, "    "));
                }
            }
            lines.extend(unchecked(reports));
        }
    }
    lines.extend([String::new(), summary(checks, stacks)]);
    lines.join("\n") + "\n"
}

/// The stacks that were looked at.
pub(crate) enum Stacks {
    /// There is no such kind.
    Unserved,
    /// All in scope.
    Examined(Vec<Report>),
}

impl Stacks {
    /// Those that are not ready.
    pub(crate) fn unready(&self) -> usize {
        match self {
            Self::Unserved => 0,
            Self::Examined(reports) => reports.iter().filter(|it| it.health != Health::Ready).count(),
        }
    }
}

/// What may not be read is the same for most stacks: it is said once.
fn unchecked(reports: &[Report]) -> Vec<String> {
    let all: BTreeSet<_> =
        reports.iter().flat_map(|report| report.unchecked.iter().map(String::as_str)).collect();
    notes(all.into_iter()).collect()
}

fn summary(checks: &[Check], stacks: &Stacks) -> String {
    let count = |mark| checks.iter().filter(|check| check.mark == mark).count();
    let all = match stacks {
        Stacks::Unserved => 0,
        Stacks::Examined(reports) => reports.len(),
    };
    format!(
        "Cluster: {} wrong, {} to know. Stacks: {} of {all} ready.",
        count(Mark::Bad),
        count(Mark::Waiting),
        all - stacks.unready()
    )
}
