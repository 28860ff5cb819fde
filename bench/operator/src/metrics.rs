//! Every figure: what it is called in reports, how it is compared, and its goal. All are better when lower.

/// A figure of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    /// With its unit.
    pub(crate) title: &'static str,
    pub(crate) comparison: Comparison,
    /// What this operator must not exceed, and the numbers of stacks for which that holds; none means all.
    pub(crate) goal: Option<(f64, &'static [usize])>,
    /// What a figure may change by without meaning.
    pub(crate) noise: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// With the floor's figure in the same run: other machines have other times.
    Floor,
    /// As it is.
    Itself,
}

use Comparison::{Floor, Itself};

const fn metric(name: &'static str, title: &'static str, comparison: Comparison, noise: f64) -> Metric {
    Metric { name, title, comparison, goal: None, noise }
}

const fn goal(metric: Metric, limit: f64, sizes: &'static [usize]) -> Metric {
    Metric { goal: Some((limit, sizes)), ..metric }
}

pub(crate) const METRICS: &[Metric] = &[
    metric("objects_s", "all objects exist, s", Floor, 0.1),
    metric("pods_ready_s", "all pods are ready, s", Floor, 0.1),
    goal(metric("ready_s", "all report Ready, s", Floor, 0.1), 1.17, &[100, 500]),
    metric("p50_s", "one stack until Ready, p50, s", Floor, 0.1),
    metric("p95_s", "one stack until Ready, p95, s", Floor, 0.1),
    // Eleven objects, a status, an Event; and the volume that a StorageClass made, which is retained.
    goal(metric("writes_per_stack", "writes a stack", Itself, 0.2), 14.0, &[]),
    goal(metric("reads_per_stack", "GETs a stack", Itself, 0.2), 10.0, &[]),
    metric("not_found_per_stack", "of these answered with 404", Itself, 0.2),
    goal(metric("lists_per_stack", "LISTs a stack", Itself, 0.05), 0.0, &[]),
    metric("failed_requests", "requests that failed", Itself, 5.0),
    goal(metric("cpu_ms_per_stack", "CPU a stack, ms", Itself, 1.0), 10.0, &[100, 500, 1000, 2000]),
    metric("server_cpu_ms_per_stack", "CPU of the API server a stack, ms", Floor, 0.1),
    metric("empty_rss_mib", "memory without stacks, MiB", Itself, 2.0),
    goal(metric("rss_mib", "memory, MiB", Itself, 2.0), 40.0, &[1, 100, 500]),
    goal(metric("peak_rss_mib", "peak memory, MiB", Itself, 3.0), 96.0, &[2000]),
    metric("server_rss_mib", "memory of the API server, MiB", Floor, 0.1),
    goal(metric("idle_requests", "requests in five idle minutes", Itself, 1.0), 0.0, &[]),
    metric("idle_cpu_ms_per_s", "CPU while idle, ms a second", Itself, 1.0),
    metric("idle_rss_mib", "memory after that, MiB", Itself, 2.0),
    goal(metric("drift_service_s", "deleted Service is back, s", Itself, 0.05), 0.12, &[]),
    goal(metric("drift_service_writes", "… writes", Itself, 0.2), 4.0, &[]),
    goal(metric("drift_service_reads", "… GETs", Itself, 0.2), 2.0, &[]),
    metric("drift_service_lists", "… LISTs", Itself, 0.2),
    goal(metric("drift_deployment_s", "edited Deployment is corrected, s", Itself, 0.05), 0.12, &[]),
    goal(metric("drift_deployment_writes", "… writes", Itself, 0.2), 4.0, &[]),
    goal(metric("drift_deployment_reads", "… GETs", Itself, 0.2), 2.0, &[]),
    metric("drift_deployment_lists", "… LISTs", Itself, 0.2),
    metric("edits_s", "100 edits at once are rolled out, s", Itself, 2.0),
    metric("edits_writes", "… writes an edit", Itself, 0.2),
    metric("edits_reads", "… GETs an edit", Itself, 0.2),
    metric("edits_cpu_ms", "… CPU an edit, ms", Itself, 1.0),
    goal(metric("restart_s", "restart until no work is left, s", Itself, 0.3), 2.0, &[100, 500]),
    metric("restart_cpu_s", "… CPU, s", Itself, 0.1),
    goal(metric("restart_writes", "… writes", Itself, 0.0), 0.0, &[]),
    metric("restart_reads", "… GETs and LISTs", Itself, 5.0),
    metric("restart_peak_rss_mib", "… peak memory, MiB", Itself, 3.0),
    metric("restart_rss_mib", "… memory after it, MiB", Itself, 2.0),
    goal(metric("foreign_rss_mib", "memory for 600 foreign Secrets, MiB", Itself, 1.0), 2.0, &[]),
    goal(metric("takeover_term_s", "takeover after SIGTERM, s", Itself, 0.2), 2.0, &[]),
    goal(metric("takeover_kill_s", "takeover after SIGKILL, s", Itself, 1.0), 15.0, &[]),
];

/// Figures of the scenario with broken stacks.
pub(crate) const BROKEN: &[Metric] = &[
    metric("broken_ready_s", "the others report Ready, s", Itself, 2.0),
    metric("broken_writes", "writes a minute and broken stack", Itself, 0.2),
    metric("broken_reads", "reads a minute and broken stack", Itself, 0.5),
    metric("broken_cpu_ms", "CPU a minute and broken stack, ms", Itself, 2.0),
    metric("broken_rss_mib", "memory, MiB", Itself, 2.0),
];

impl Metric {
    /// The goal for a number of stacks.
    pub(crate) fn goal_at(&self, stacks: usize) -> Option<f64> {
        let (limit, sizes) = self.goal?;
        (sizes.is_empty() || sizes.contains(&stacks)).then_some(limit)
    }
}
