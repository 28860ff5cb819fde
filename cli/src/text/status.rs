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

fn tree(parts: &[PartReport], wide: bool) -> Vec<String> {
    let parts: Vec<_> = parts.iter().map(part_node).collect();
    let mut lines = Vec::new();
    add_lines(&parts, "", &mut lines);
    // One column for the states, as wide as the deepest or longest name needs.
    let width = lines.iter().map(|(branch, node)| columns(branch) + columns(&node.object)).max();
    lines.iter().map(|(branch, node)| align(branch, node, width.unwrap_or_default(), wide)).collect()
}

fn part_node(part: &PartReport) -> Node {
    let condition = &part.condition;
    // The sign in front of the name shows that the part works.
    let state = if condition.reason == "AsExpected" { "" } else { condition.reason.as_str() };
    Node {
        object: part_name(part.part).to_owned(),
        mark: part.mark,
        state: state.to_owned(),
        details: condition.message.clone(),
        objects: part.objects.clone(),
    }
}

/// Adds each node after the branch in front of it.
fn add_lines<'a>(nodes: &'a [Node], indent: &str, lines: &mut Vec<(String, &'a Node)>) {
    for (position, node) in nodes.iter().enumerate() {
        let last = position + 1 == nodes.len();
        let (branch, inner) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push((format!("{indent}{branch}"), node));
        add_lines(&node.objects, &format!("{indent}{inner}"), lines);
    }
}

fn align(branch: &str, node: &Node, width: usize, wide: bool) -> String {
    let Node { object, mark, state, details, objects: _ } = node;
    let pad = " ".repeat(width.saturating_sub(columns(branch) + columns(object)));
    let color = if *mark == Mark::Good { FAINT } else { style(*mark) };
    let object = format!("{}{} {object}{pad}", paint(FAINT, branch), sign(*mark));
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
