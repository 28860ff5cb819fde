//! The subject is stopped and started again while nothing has changed.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::audit::Requests;
use crate::life::Life;

#[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    eprintln!("      restart");
    if let Some(mut process) = life.running.process.take() {
        process.terminate();
        process.wait(Duration::from_mins(2))?;
    }
    let (mut audit, mut requests) = (life.audit()?, Requests::default());
    let (start, instant) = (Timestamp::now(), Instant::now());
    life.running.process = life.running.start_again(&life.world, life.programs).await?;
    let listed = instant.elapsed().as_secs_f64();
    life.quiet(&mut audit, &mut requests).await?;
    let usage = life.running.usage()?;
    let last = requests.last.map(|last| (last - start).total(jiff::Unit::Second)).transpose()?;
    let measurement = &mut life.measurement;
    // It may work on what it has listed without any request.
    measurement.set("restart_s", last.unwrap_or_default().max(listed));
    measurement.set("restart_cpu_s", usage.cpu);
    measurement.set("restart_writes", requests.writes() as f64);
    measurement.set("restart_reads", (requests.reads() + requests.lists()) as f64);
    measurement.set("restart_peak_rss_mib", usage.peak);
    measurement.set("restart_rss_mib", usage.resident);
    Ok(())
}
