//! The text of `status`: the summary, the tree of objects with their states, the findings.

use jiff::Timestamp;

use super::{FAINT, STRONG, headline, notes, paint, sign, style};
use crate::report::{FindingReport, Mark, Node, PartReport, Report, part_name};

/// Describes one stack; `wide` adds messages and details.
pub(crate) fn text(report: &Report, now: Timestamp, wide: bool) -> String {
    let mut lines = vec![headline(report, now)];
    lines.extend(tree(&report.parts, wide));
    lines.extend(findings(&report.findings));
    lines.extend(notes(report.all_notes()));
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n") + "\n"
}

/// One line of the tree, before its columns are aligned.
struct Line {
    branch: String,
    mark: Mark,
    label: String,
    state: String,
    details: String,
}

fn tree(parts: &[PartReport], wide: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for (position, part) in parts.iter().enumerate() {
        let last = position + 1 == parts.len();
        lines.push(part_line(part, last));
        let inner = if last { "   " } else { "│  " };
        nodes(&part.objects, inner, &mut lines);
    }
    // One column for the states, as wide as the deepest or longest name needs.
    let width =
        lines.iter().map(|line| columns(&line.branch) + columns(&line.label)).max().unwrap_or_default();
    lines.iter().map(|line| align(line, width, wide)).collect()
}

fn part_line(part: &PartReport, last: bool) -> Line {
    let condition = &part.condition;
    // The sign in front of the name shows that the part works.
    let state = if condition.reason == "AsExpected" { "" } else { condition.reason.as_str() };
    Line {
        branch: branch(last).to_owned(),
        mark: part.mark,
        label: part_name(part.part).to_owned(),
        state: state.to_owned(),
        details: condition.message.clone(),
    }
}

fn nodes(nodes: &[Node], indent: &str, lines: &mut Vec<Line>) {
    for (position, node) in nodes.iter().enumerate() {
        let last = position + 1 == nodes.len();
        lines.push(Line {
            branch: format!("{indent}{}", branch(last)),
            mark: node.mark,
            label: node.object.clone(),
            state: node.state.clone(),
            details: node.details.clone(),
        });
        let inner = if last { "   " } else { "│  " };
        self::nodes(&node.objects, &format!("{indent}{inner}"), lines);
    }
}

fn branch(last: bool) -> &'static str {
    if last { "└─ " } else { "├─ " }
}

fn align(line: &Line, width: usize, wide: bool) -> String {
    let Line { branch, mark, label, state, details } = line;
    let pad = " ".repeat(width.saturating_sub(columns(branch) + columns(label)));
    let color = if *mark == Mark::Good { FAINT } else { style(*mark) };
    let object = format!("{}{} {label}{pad}", paint(FAINT, branch), sign(*mark));
    let details = if wide { details.clone() } else { String::new() };
    let columns = [object, paint(color, state), details];
    columns.into_iter().filter(|column| !column.is_empty()).collect::<Vec<_>>().join("  ")
}

/// Each character of names and branches is one column wide.
fn columns(text: &str) -> usize {
    text.chars().count()
}

/// What is wrong, root cause first.
pub(super) fn findings(findings: &[FindingReport]) -> Vec<String> {
    let mut lines = Vec::new();
    for (position, finding) in findings.iter().enumerate() {
        let title = format!("{}. {} ({})", position + 1, part_name(finding.part), finding.reason);
        lines.push(String::new());
        lines.push(paint(STRONG, &title));
        lines.extend(self::finding(finding, "   "));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// What is wrong, what to do, and where it shows.
pub(super) fn finding(finding: &FindingReport, indent: &str) -> Vec<String> {
    let FindingReport { object, problem, remedy, evidence, part: _, reason: _ } = finding;
    let row = |name: &str, text: &str| format!("{indent}{}  {text}", paint(FAINT, name));
    let mut lines = vec![row("problem ", &format!("{object} {}.", problem.trim_end_matches('.')))];
    if !remedy.is_empty() {
        lines.push(row("remedy  ", remedy));
    }
    if !evidence.is_empty() {
        lines.push(row("evidence", evidence));
    }
    lines
}
