//! The tables of the result, for the terminal and for docs/benchmarks-operator.md.

use std::fmt::Write as _;

use crate::metrics::{BROKEN, Comparison, METRICS, Metric};
use crate::result::Results;

const FOLDER: &str = "docs";
pub(crate) const PAGE: &str = "docs/benchmarks-operator.md";
pub(crate) const PLOT: &str = "benchmarks-operator.svg";

/// All tables.
pub(crate) fn tables(results: &Results) -> String {
    let mut text = String::new();
    for stacks in results.sizes() {
        text += &table(results, stacks, &subjects(results), METRICS);
    }
    if let Some(broken) = results.measurements.iter().find(|it| it.is_broken) {
        let _ = writeln!(text, "\n## A third of the stacks is broken\n");
        text += "Images that cannot be pulled, StorageClasses and Secrets that do not exist.\n";
        text += &rows(results, broken.stacks, &["operator"], BROKEN);
    }
    text += &growth(results);
    text
}

fn subjects(results: &Results) -> Vec<&'static str> {
    results.subjects()
}

fn table(results: &Results, stacks: usize, subjects: &[&str], metrics: &[Metric]) -> String {
    let title = if stacks == 1 { "One stack".to_owned() } else { format!("{stacks} stacks") };
    format!("\n## {title}\n{}", rows(results, stacks, subjects, metrics))
}

fn rows(results: &Results, stacks: usize, subjects: &[&str], metrics: &[Metric]) -> String {
    let mut text =
        format!("\n| | {} | goal |\n|---|{}---:|\n", subjects.join(" | "), "---:|".repeat(subjects.len()));
    for metric in metrics {
        let cells: Vec<String> = subjects.iter().map(|it| cell(results, it, stacks, metric)).collect();
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let goal = goal(results, stacks, metric);
        let _ = writeln!(text, "| {} | {} | {goal} |", metric.title, cells.join(" | "));
    }
    text
}

/// The median, and the multiple of the floor where that is what counts.
fn cell(results: &Results, subject: &str, stacks: usize, metric: &Metric) -> String {
    let Some(value) = results.median(subject, stacks, metric.name) else { return String::new() };
    let ratio = results.ratio(subject, stacks, metric.name);
    match ratio.filter(|_| metric.comparison == Comparison::Floor && subject != "floor") {
        Some(ratio) => format!("{} ({ratio:.2}×)", number(value)),
        None => number(value),
    }
}

/// The goal, and whether this operator meets it.
fn goal(results: &Results, stacks: usize, metric: &Metric) -> String {
    let Some(limit) = metric.goal_at(stacks) else { return String::new() };
    let (value, unit) = match metric.comparison {
        Comparison::Floor => (results.ratio("operator", stacks, metric.name), "×"),
        Comparison::Itself => (results.median("operator", stacks, metric.name), ""),
    };
    let met = match value {
        Some(value) if value <= limit => " ✓",
        Some(_) => " ✗",
        None => "",
    };
    format!("≤ {}{unit}{met}", number(limit))
}

/// What a stack costs at the largest number, as a multiple of its cost at 100.
fn growth(results: &Results) -> String {
    let sizes = results.sizes();
    let Some(largest) = sizes.last().copied().filter(|it| *it > 100 && sizes.contains(&100)) else {
        return String::new();
    };
    let mut text = format!(
        "\n## Cost of a stack at {largest}, as a multiple of that at 100\n\n| | cost | goal |\n|---|---:|---:|\n"
    );
    for name in ["cpu_ms_per_stack", "writes_per_stack", "reads_per_stack"] {
        let at = |stacks| results.median("operator", stacks, name);
        let (Some(small), Some(large)) = (at(100), at(largest)) else { continue };
        let title = METRICS.iter().find(|it| it.name == name).map_or(name, |it| it.title);
        let ratio = large / small.max(0.001);
        let met = if ratio <= 1.1 { "✓" } else { "✗" };
        let _ = writeln!(text, "| {title} | {ratio:.2} | ≤ 1.1 {met} |");
    }
    text
}

/// Three significant digits, and no more than two decimals.
fn number(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    match text.strip_suffix(".00").or_else(|| text.strip_suffix(".0")) {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// The page.
pub(crate) fn page(results: &Results) -> String {
    let machine = &results.machine;
    let mut text = String::from(INTRODUCTION);
    let operator = format!("profile {} {}", machine.profile, machine.operator_flags.join(" "));
    let kro = if machine.kro_defaults {
        "its defaults: one reconcile at a time, ten a second"
    } else {
        "raised: 16 reconciles at a time, 1,000 a second"
    };
    let controllers = format!("at most {} requests a second each", machine.controller_manager_qps);
    let facts = [
        ("machine", format!("{}, {} cores, {} GiB", machine.cpu, machine.cores, machine.memory_gib)),
        ("kernel", machine.kernel.clone()),
        ("Kubernetes, kwok, kro", format!("{}, {}, {}", machine.kubernetes, machine.kwok, machine.kro)),
        ("commit, date", format!("{}, {}", machine.commit, machine.date)),
        ("operator", operator.trim().to_owned()),
        ("limits of kro", kro.to_owned()),
        ("Kubernetes' controllers", controllers),
        ("rounds", format!("{}, medians are shown", machine.rounds)),
        ("idle", format!("measured for {} s, counts are of 300 s", machine.idle)),
    ];
    text += "\n| | |\n|---|---|\n";
    for (name, fact) in facts {
        let _ = writeln!(text, "| {name} | {fact} |");
    }
    let _ = writeln!(text, "\n![CPU and memory against the number of stacks]({PLOT})");
    text + &tables(results)
}

const INTRODUCTION: &str = "# Benchmarks of the operator

Generated by `cargo xtask bench operator --publish`. Compare ratios within one run only: all subjects ran on
the same machine in alternating rounds, each time on a new control plane. etcd, API server, controller-manager
and scheduler are real; nodes are pretended by kwok, so a pod is ready at once and what remains is the cost of
the API.

- **floor**: a plain client that sends the eleven objects of each stack by server-side apply on 32
  connections, as this operator would render them. It ends when all pods are ready, so no operator can be
  faster by much.
- **kro**: its controller with a ResourceGraphDefinition of the same objects.
- **operator**: this one, as a process with the permissions of its chart.

Writes, GETs and LISTs are those of the subject in the API server's audit log, Leases aside. What has an × is
compared as a multiple of the floor.
";

pub(crate) fn folder() -> std::path::PathBuf {
    todostack_testbed::repository::root().join(FOLDER)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0.0, "0")]
    #[case(0.125, "0.12")]
    #[case(12.34, "12.3")]
    #[case(1234.5, "1234")]
    #[case(40.0, "40")]
    fn numbers_have_three_digits(#[case] value: f64, #[case] text: &str) {
        assert_eq!(number(value), text);
    }
}
