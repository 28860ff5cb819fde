//! Measurements as the result file has them, their medians and percentiles.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// What one run of the benchmark found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) measurements: Vec<Measurement>,
}

/// One subject on one control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) subject: String,
    pub(crate) stacks: usize,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_broken: bool,
    /// By the names of `metrics.rs`.
    pub(crate) figures: BTreeMap<String, f64>,
    /// Requests of the creation, by verb and resource.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) requests: BTreeMap<String, u64>,
}

impl Measurement {
    pub(crate) fn new(subject: &str, stacks: usize, is_broken: bool) -> Self {
        let (figures, requests) = (BTreeMap::new(), BTreeMap::new());
        Self { subject: subject.to_owned(), stacks, is_broken, figures, requests }
    }

    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), (value * 1000.0).round() / 1000.0);
    }

    pub(crate) fn set_some(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }
}

impl Results {
    /// The median of a figure over all rounds. The scenario with broken stacks has figures of its own.
    pub(crate) fn median(&self, subject: &str, stacks: usize, name: &str) -> Option<f64> {
        let rounds = self.measurements.iter().filter(|it| it.subject == subject && it.stacks == stacks);
        median(&rounds.filter_map(|it| it.figures.get(name).copied()).collect::<Vec<_>>())
    }

    /// The median as a multiple of the floor's.
    pub(crate) fn ratio(&self, subject: &str, stacks: usize, name: &str) -> Option<f64> {
        let floor = self.median("floor", stacks, name)?;
        Some(self.median(subject, stacks, name)? / floor)
    }

    /// Numbers of stacks, ascending.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let sizes = self.measurements.iter().filter(|it| !it.is_broken).map(|it| it.stacks);
        sizes.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Subjects in the order of the report.
    pub(crate) fn subjects(&self) -> Vec<&'static str> {
        let is_measured = |name: &&str| self.measurements.iter().any(|it| it.subject == *name);
        ["floor", "kro", "operator"].into_iter().filter(is_measured).collect()
    }
}

pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

/// The nearest-rank percentile of sorted values.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles_of_few_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 50), Some(2.0));
        assert_eq!(percentile(&[1.0, 2.0], 95), Some(2.0));
        assert_eq!(percentile(&[], 50), None);
    }
}
