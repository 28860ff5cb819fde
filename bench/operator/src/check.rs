//! Whether a figure of this operator is worse than the committed one.

use anyhow::Context as _;
use fs_err as fs;
use todostack_testbed::repository;

use crate::metrics::{BROKEN, Comparison, METRICS, Metric};
use crate::result::Results;

pub(crate) const FIGURES: &str = "bench/operator/figures.json";
/// How much worse a figure may be.
const TOLERANCE: f64 = 1.1;

pub(crate) fn check(results: &Results) -> anyhow::Result<()> {
    let path = repository::root().join(FIGURES);
    let published = fs::read_to_string(path).context("`--publish` writes the figures to compare with")?;
    let published: Results = serde_json::from_str(&published)?;
    let worse = compare(&published, results);
    anyhow::ensure!(
        worse.is_empty(),
        "{} figure(s) are worse than published:\n{}",
        worse.len(),
        worse.join("\n")
    );
    eprintln!("No figure is more than 10 % worse than published");
    Ok(())
}

/// Figures that both have and that became worse.
fn compare(published: &Results, results: &Results) -> Vec<String> {
    let sizes: std::collections::BTreeSet<usize> = results.measurements.iter().map(|it| it.stacks).collect();
    let mut worse = Vec::new();
    for stacks in sizes {
        for metric in METRICS.iter().chain(BROKEN) {
            let both = figure(published, stacks, metric).zip(figure(results, stacks, metric));
            if let Some((before, now)) = both.filter(|(before, now)| *now > before * TOLERANCE + metric.noise)
            {
                worse.push(format!("  {stacks} stacks: {}: {now:.2}, published {before:.2}", metric.title));
            }
        }
    }
    worse
}

fn figure(results: &Results, stacks: usize, metric: &Metric) -> Option<f64> {
    match metric.comparison {
        Comparison::Floor => results.ratio("operator", stacks, metric.name),
        Comparison::Itself => results.median("operator", stacks, metric.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{machine::Machine, result::Measurement};

    fn results(floor: f64, ready: f64, writes: f64) -> Results {
        let mut own = Measurement::new("operator", 100, false);
        own.set("ready_s", ready);
        own.set("writes_per_stack", writes);
        let mut plain = Measurement::new("floor", 100, false);
        plain.set("ready_s", floor);
        Results { machine: Machine::default(), measurements: vec![own, plain] }
    }

    #[test]
    fn times_are_compared_as_multiples_of_the_floor_and_counts_as_they_are() {
        let published = results(10.0, 12.0, 13.0);
        assert!(compare(&published, &results(20.0, 25.0, 13.1)).is_empty());
        let worse = compare(&published, &results(10.0, 15.0, 15.0));
        assert_eq!(worse.len(), 2, "{worse:?}");
    }

    #[test]
    fn what_was_not_measured_is_not_worse() {
        let mut now = results(10.0, 99.0, 13.0);
        now.measurements.truncate(1);
        assert!(compare(&results(10.0, 12.0, 13.0), &now).is_empty());
    }
}
