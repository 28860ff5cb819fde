//! Nothing happens: what the subject does nevertheless.

use std::time::Duration;

use crate::audit::Requests;
use crate::life::Life;
use crate::wait;

#[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    let seconds = life.args.idle;
    eprintln!("      idle for {seconds} s");
    let (mut audit, mut requests) = (life.audit()?, Requests::default());
    let before = life.running.usage()?;
    wait::pause(Duration::from_secs(seconds)).await;
    audit.read(&mut requests)?;
    let after = life.running.usage()?;
    let all = requests.writes() + requests.reads() + requests.lists();
    // As a count of five minutes, which is the default.
    let scale = 300.0 / (seconds.max(1) as f64);
    let measurement = &mut life.measurement;
    measurement.set("idle_requests", all as f64 * scale);
    measurement.set("idle_cpu_ms_per_s", (after.cpu - before.cpu) * 1000.0 / (seconds.max(1) as f64));
    measurement.set("idle_rss_mib", after.resident);
    Ok(())
}
