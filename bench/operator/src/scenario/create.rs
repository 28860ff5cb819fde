//! All stacks are created at once, until each is reported ready.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;

use crate::audit::Requests;
use crate::life::Life;
use crate::result::percentile;
use crate::tracker::Progress;
use crate::wait;

pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    let (before, server) = (life.running.usage()?, life.world.server_usage()?);
    let (mut audit, mut requests) = (life.audit()?, Requests::default());
    life.running.create(&life.world, &life.ids, &life.tracker).await?;
    ready(life).await?;
    life.quiet(&mut audit, &mut requests).await?;
    let (after, server_after) = (life.running.usage()?, life.world.server_usage()?);
    times(life, &requests)?;
    counts(life, &requests);
    #[expect(clippy::cast_precision_loss, reason = "there are few stacks")]
    let count = life.ids.len() as f64;
    let measurement = &mut life.measurement;
    measurement.set("server_cpu_ms_per_stack", (server_after.cpu - server.cpu) * 1000.0 / count);
    measurement.set("server_rss_mib", server_after.resident);
    if life.running.process.is_some() {
        measurement.set("cpu_ms_per_stack", (after.cpu - before.cpu) * 1000.0 / count);
        measurement.set("rss_mib", after.resident);
        measurement.set("peak_rss_mib", after.peak);
        measurement.set("empty_rss_mib", before.resident);
    }
    Ok(())
}

/// Waits until all stacks have their pods, and are reported ready by a subject that reports.
pub(crate) async fn ready(life: &Life<'_>) -> anyhow::Result<()> {
    let (ids, tracker) = (&life.ids, &life.tracker);
    let reports = life.running.resource().is_some();
    let limit = Duration::from_secs(120 + 4 * ids.len() as u64);
    wait::until("all stacks to be ready", limit, async || {
        let pods = tracker.count(ids, |it| it.pods_ready.is_some());
        let reported = tracker.count(ids, |it| it.reported.is_some());
        let is_done = pods == ids.len() && (!reports || reported == ids.len());
        let count = ids.len();
        Ok(if is_done {
            Ok(())
        } else {
            Err(format!("{pods} of {count} have their pods, {reported} are reported ready"))
        })
    })
    .await
}

fn times(life: &mut Life<'_>, requests: &Requests) -> anyhow::Result<()> {
    let stacks: Vec<Progress> = life.ids.iter().map(|id| life.tracker.progress(id)).collect();
    let start = stacks.iter().filter_map(|it| it.created).min().context("no stack was created")?;
    let latest = |time: fn(&Progress) -> Option<Instant>| {
        let last = stacks.iter().filter_map(time).max()?;
        Some(last.duration_since(start).as_secs_f64())
    };
    let measurement = &mut life.measurement;
    measurement.set_some("pods_ready_s", latest(|it| it.pods_ready));
    measurement.set_some("ready_s", latest(|it| it.reported.or(it.pods_ready)));
    let start_time = Timestamp::now() - start.elapsed();
    let objects = requests.last_created.map(|last| (last - start_time).total(jiff::Unit::Second));
    measurement.set_some("objects_s", objects.transpose()?);
    let mut latencies: Vec<f64> = stacks
        .iter()
        .filter_map(|it| Some(it.reported.or(it.pods_ready)?.duration_since(it.created?).as_secs_f64()))
        .collect();
    latencies.sort_by(f64::total_cmp);
    measurement.set_some("p50_s", percentile(&latencies, 50));
    measurement.set_some("p95_s", percentile(&latencies, 95));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
fn counts(life: &mut Life<'_>, requests: &Requests) {
    let count = life.ids.len() as f64;
    let measurement = &mut life.measurement;
    measurement.set("created_per_stack", requests.created as f64 / count);
    measurement.set("writes_per_stack", requests.writes() as f64 / count);
    measurement.set("reads_per_stack", requests.reads() as f64 / count);
    measurement.set("not_found_per_stack", requests.not_found as f64 / count);
    measurement.set("lists_per_stack", requests.lists() as f64 / count);
    measurement.set("failed_requests", requests.failed as f64);
    measurement.requests.clone_from(&requests.counts);
}
