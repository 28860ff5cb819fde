//! The text of `doctor`: the checks of the cluster, one line for each stack, and the findings.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{FAINT, STRONG, headline, notes, paint, sign, status};
use crate::{
    cluster::Check,
    report::{Health, Mark, Report, part_name},
};

/// Describes the cluster and its stacks.
pub(crate) fn text(checks: &[Check], stacks: &Stacks, now: Timestamp) -> String {
    let mut lines = vec![paint(STRONG, "Cluster")];
    for Check { name, mark, state, remedy } in checks {
        lines.push(format!("{} {name:<13} {state}", sign(*mark)));
        if !remedy.is_empty() {
            lines.push(format!("  {}  {remedy}", paint(FAINT, "remedy")));
        }
    }
    lines.extend([String::new(), paint(STRONG, "Stacks")]);
    match stacks {
        Stacks::NotServed => lines.push("none: the API server does not serve them".to_owned()),
        Stacks::Examined(reports) if reports.is_empty() => lines.push("none".to_owned()),
        Stacks::Examined(reports) => {
            for report in reports {
                // Findings without the tree: `status` and `explain` show more of one stack.
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

pub(crate) enum Stacks {
    /// The CRD is not installed.
    NotServed,
    Examined(Vec<Report>),
}

impl Stacks {
    /// How many are not ready.
    pub(crate) fn unready(&self) -> usize {
        match self {
            Self::NotServed => 0,
            Self::Examined(reports) => reports.iter().filter(|it| it.health != Health::Ready).count(),
        }
    }
}

/// What may not be read is the same for most stacks, so each note is printed once.
fn unchecked(reports: &[Report]) -> Vec<String> {
    let all: BTreeSet<_> =
        reports.iter().flat_map(|report| report.unchecked.iter().map(String::as_str)).collect();
    notes(all.into_iter()).collect()
}

fn summary(checks: &[Check], stacks: &Stacks) -> String {
    let count = |mark| checks.iter().filter(|check| check.mark == mark).count();
    let all = match stacks {
        Stacks::NotServed => 0,
        Stacks::Examined(reports) => reports.len(),
    };
    format!(
        "Cluster: {}, {}. Stacks: {} of {all} ready.",
        plural(count(Mark::Bad), "problem"),
        plural(count(Mark::Waiting), "warning"),
        all - stacks.unready()
    )
}

fn plural(count: usize, noun: &str) -> String {
    let suffix = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{suffix}")
}
