//! The text of `explain`: the chain from the symptom to the root cause, with its evidence and remedy.

use todostack_stack::part::Part;

use super::{BAD, FAINT, GOOD, STRONG, WAITING, notes, paint, status};
use crate::report::{FindingReport, Health, PartReport, Report, part_name};

pub(crate) fn text(report: &Report) -> String {
    let name = paint(STRONG, &format!("{}/{}", report.namespace, report.name));
    let mut lines = match report.health {
        Health::Ready => vec![format!("{name} is {}: {}.", paint(GOOD, "ready"), report.ready.message)],
        Health::Starting => starting(report, &name),
        Health::ScaledToZero => {
            vec![format!("{name} is {}: {}.", paint(WAITING, "not ready"), report.ready.message)]
        }
        Health::Wrong => wrong(report, &name),
    };
    lines.extend(notes(report.all_notes()));
    lines.join("\n") + "\n"
}

fn starting(report: &Report, name: &str) -> Vec<String> {
    let state = paint(WAITING, "not ready yet");
    let mut lines = vec![format!("{name} is {state}. Nothing is wrong: it is progressing."), String::new()];
    let chain = chain(report, None);
    let exposure = exposure(report);
    if chain.is_empty() && exposure.is_none() {
        lines.push(format!("{}: {}", report.ready.reason, report.ready.message));
    }
    lines.extend(steps(&chain));
    lines.extend(exposure);
    lines
}

fn wrong(report: &Report, name: &str) -> Vec<String> {
    let state = if report.ready.is_true() { "has problems" } else { "is not ready" };
    let mut lines = vec![format!("{name} {}.", paint(BAD, state)), String::new()];
    // Findings are in the order of causality, so the first one is the root cause.
    let Some((cause, rest)) = report.findings.split_first() else { return lines };
    let chain = chain(report, Some(cause));
    lines.extend(steps(&chain));
    let title = format!("{} ({})", part_name(cause.part), cause.reason);
    lines.push(format!("{}{}", because(chain.len()), paint(BAD, &title)));
    lines.extend(status::finding(cause, &"   ".repeat(chain.len() + 1)));
    if !rest.is_empty() {
        lines.extend([String::new(), "Other findings, which may be consequences of this one:".to_owned()]);
        lines.extend(status::findings(rest));
    }
    // A finding on the exposure is printed above, with its remedy.
    let is_listed = report.findings.iter().any(|finding| finding.part == Part::Exposure);
    lines.extend(exposure(report).filter(|_| !is_listed));
    lines
}

/// The parts after the root cause that are not ready, the symptom first.
fn chain<'a>(report: &'a Report, cause: Option<&FindingReport>) -> Vec<&'a PartReport> {
    // No other part waits for the exposure.
    if cause.is_some_and(|cause| cause.part == Part::Exposure) {
        return Vec::new();
    }
    let at = cause.and_then(|cause| report.parts.iter().position(|part| part.part == cause.part));
    let after = report.parts.iter().skip(at.map_or(0, |position| position + 1));
    let mut chain: Vec<_> =
        after.filter(|part| !part.condition.is_true() && part.part != Part::Exposure).collect();
    chain.reverse();
    chain
}

/// Exposure is apart from the chain: it can be ready before the other parts.
fn exposure(report: &Report) -> Option<String> {
    let mut parts = report.parts.iter();
    let part = parts.find(|part| part.part == Part::Exposure && !part.condition.is_true())?;
    Some(format!("{}: {}", title(part), part.condition.message))
}

fn title(part: &PartReport) -> String {
    paint(STRONG, part_name(part.part))
}

fn steps(chain: &[&PartReport]) -> Vec<String> {
    let step = |(depth, part): (usize, &&PartReport)| {
        format!("{}{}: {}", because(depth), title(part), part.condition.message)
    };
    chain.iter().enumerate().map(step).collect()
}

fn because(depth: usize) -> String {
    match depth.checked_sub(1) {
        None => String::new(),
        Some(above) => paint(FAINT, &format!("{}└─ because of ", "   ".repeat(above))),
    }
}
