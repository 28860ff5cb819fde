//! `explain`: from the symptom to the cause, where that was seen, what to do.

use todostack_operator::finding::Part;

use super::{BAD, FAINT, GOOD, STRONG, WAITING, notes, paint, status};
use crate::report::{self, Found, Health, PartReport, Report};

/// Writes why a stack is not ready.
pub(crate) fn text(report: &Report) -> String {
    let name = paint(STRONG, &format!("{}/{}", report.namespace, report.name));
    let mut lines = match report.health {
        Health::Ready => vec![format!("{name} is {}: {}.", paint(GOOD, "ready"), report.ready.message)],
        Health::Starting => starting(report, &name),
        Health::Wrong => wrong(report, &name),
    };
    lines.extend(notes(report.remarks()));
    lines.join("\n") + "\n"
}

fn starting(report: &Report, name: &str) -> Vec<String> {
    let state = paint(WAITING, "not ready yet");
    let mut lines =
        vec![format!("{name} is {state}. Nothing is wrong so far; it works its way up:"), String::new()];
    let chain = chain(report, None);
    let way_in = way_in(report);
    if chain.is_empty() && way_in.is_none() {
        lines.push(format!("{}: {}", report.ready.reason, report.ready.message));
    }
    lines.extend(steps(&chain));
    lines.extend(way_in);
    lines
}

fn wrong(report: &Report, name: &str) -> Vec<String> {
    let state = if report.ready.is_true() { "not well" } else { "not ready" };
    let mut lines = vec![format!("{name} is {}.", paint(BAD, state)), String::new()];
    let Some((cause, rest)) = report.findings.split_first() else { return lines };
    let chain = chain(report, Some(cause));
    lines.extend(steps(&chain));
    let title = format!("{} ({})", cause.part, cause.reason);
    lines.push(format!("{}{}", because(chain.len()), paint(BAD, &title)));
    lines.extend(status::finding(cause, &"   ".repeat(chain.len() + 1)));
    if !rest.is_empty() {
        lines.extend([String::new(), "What else is wrong, or comes of it:".to_owned()]);
        lines.extend(status::findings(rest));
    }
    let told = report.findings.iter().any(|found| found.part == report::name(Part::Exposure));
    lines.extend(way_in(report).filter(|_| !told));
    lines
}

/// The parts that are not ready after the cause, the symptom first.
fn chain<'a>(report: &'a Report, cause: Option<&Found>) -> Vec<&'a PartReport> {
    if cause.is_some_and(|cause| cause.part == report::name(Part::Exposure)) {
        return Vec::new();
    }
    let at = cause.and_then(|cause| report.parts.iter().position(|part| part.part == cause.part));
    let after = report.parts.iter().skip(at.map_or(0, |position| position + 1));
    let mut chain: Vec<_> = after.filter(|part| !part.condition.is_true() && !is_way_in(part)).collect();
    chain.reverse();
    chain
}

/// The way in stands apart: no part before it keeps it from being ready.
fn way_in(report: &Report) -> Option<String> {
    let part = report.parts.iter().find(|part| is_way_in(part) && !part.condition.is_true())?;
    Some(format!("{}: {}", paint(STRONG, part.part), part.condition.message))
}

fn is_way_in(part: &PartReport) -> bool {
    part.part == report::name(Part::Exposure)
}

fn steps(chain: &[&PartReport]) -> Vec<String> {
    let step = |(depth, part): (usize, &&PartReport)| {
        format!("{}{}: {}", because(depth), paint(STRONG, part.part), part.condition.message)
    };
    chain.iter().enumerate().map(step).collect()
}

/// What leads to a step of that depth.
fn because(depth: usize) -> String {
    match depth.checked_sub(1) {
        None => String::new(),
        Some(above) => paint(FAINT, &format!("{}└─ because of ", "   ".repeat(above))),
    }
}
