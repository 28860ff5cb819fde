//! The text of `doctor`: the checks of the cluster, one line for each stack, and the findings.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{FAINT, STRONG, headline, notes, paint, sign, status};
use crate::{
    cluster::Check,
    report::{Health, Mark, Report, part_name},
};

/// `reports` is `None` if the CRD is not installed.
pub(crate) fn text(checks: &[Check], reports: Option<&[Report]>, now: Timestamp) -> String {
    let mut lines = vec![paint(STRONG, "Cluster")];
    for Check { name, mark, state, remedy } in checks {
        lines.push(format!("{} {name:<13} {state}", sign(*mark)));
        if !remedy.is_empty() {
            lines.push(format!("  {}  {remedy}", paint(FAINT, "remedy")));
        }
    }
    lines.extend([String::new(), paint(STRONG, "Stacks")]);
    match reports {
        None => lines.push("none: the API server does not serve them".to_owned()),
        Some([]) => lines.push("none".to_owned()),
        Some(reports) => {
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
    lines.extend([String::new(), summary(checks, reports.unwrap_or_default())]);
    lines.join("\n") + "\n"
}

/// What may not be read is the same for most stacks, so each note is printed once.
fn unchecked(reports: &[Report]) -> Vec<String> {
    let all: BTreeSet<_> =
        reports.iter().flat_map(|report| report.unchecked.iter().map(String::as_str)).collect();
    notes(all.into_iter()).collect()
}

fn summary(checks: &[Check], reports: &[Report]) -> String {
    let count = |mark| checks.iter().filter(|check| check.mark == mark).count();
    let ready = reports.iter().filter(|report| report.health == Health::Ready).count();
    format!(
        "Cluster: {}, {}. Stacks: {ready} of {} ready.",
        plural(count(Mark::Bad), "problem"),
        plural(count(Mark::Waiting), "warning"),
        reports.len()
    )
}

fn plural(count: usize, noun: &str) -> String {
    let suffix = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{suffix}")
}
