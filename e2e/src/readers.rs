//! Clients that list the todos through the Ingress, together 200 times per second, and accept no failure.
//! Clients that write and retry are `writers.rs`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{task::JoinHandle, time::interval};

use crate::{figure, todos::Todos};

const READERS: usize = 40;
// Together 200 requests per second.
const READ_EVERY: Duration = Duration::from_millis(200);
// Beside other tests, a small machine answers a half of them.
const FEWEST_PER_SECOND: f64 = 60.0;

pub struct Readers {
    stop: Arc<AtomicBool>,
    start: Instant,
    tasks: Vec<JoinHandle<Result<usize>>>,
}

impl Readers {
    // Returns when the host is served.
    pub async fn start(host: &str) -> Result<Self> {
        Todos::at_host(host).list_eventually().await?;
        let stop = Arc::new(AtomicBool::new(false));
        let read = |_| {
            let (stop, todos) = (Arc::clone(&stop), Todos::at_host(host));
            tokio::spawn(async move { read_until(&stop, &todos).await })
        };
        Ok(Self { tasks: (0..READERS).map(read).collect(), start: Instant::now(), stop })
    }

    // Returns the first failure, if there was one, or if there were fewer requests than should be.
    pub async fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let mut answered = 0;
        for task in self.tasks {
            answered += task.await??;
        }
        let seconds = self.start.elapsed().as_secs_f64();
        figure::print_count(&format!("requests answered in {seconds:.0} s, none failed"), answered)?;
        let per_second = f64::from(u32::try_from(answered)?) / seconds;
        ensure!(per_second >= FEWEST_PER_SECOND, "only {per_second:.0} requests per second");
        Ok(())
    }
}

async fn read_until(stop: &AtomicBool, todos: &Todos) -> Result<usize> {
    let mut answered = 0;
    // Ticks that were missed follow at once, so that slow responses do not lower the rate.
    let mut ticks = interval(READ_EVERY);
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        todos.list().await.with_context(|| format!("request {answered} of one of {READERS} clients"))?;
        answered += 1;
    }
    Ok(answered)
}
