//! The threads that answer requests. Each has a runtime of its own, so that a request, its batch and its connection to the database
//! stay on one thread (docs/adr/0010-one-runtime-per-thread.md).

use std::{io, thread};

use anyhow::Context as _;
use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
};

/// Two answer more than one Postgres can (`docs/benchmarks.md`), and each has connections of its own.
const MAX_THREADS: usize = 2;

/// The running threads; they end when this is dropped.
#[derive(Debug)]
pub struct Workers {
    runtimes: Vec<Handle>,
    _running: watch::Sender<()>,
}

impl Workers {
    /// Starts one for each core, two at most.
    pub fn start() -> anyhow::Result<Self> {
        // Knows the limit of the container too.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let (running, until) = watch::channel(());
        let runtimes = (0..cores.min(MAX_THREADS)).map(|_| worker(until.clone()));
        let runtimes = runtimes.collect::<io::Result<_>>().context("failed to start a thread")?;
        Ok(Self { runtimes, _running: running })
    }

    /// Where to spawn what shall run on each.
    #[must_use]
    pub fn runtimes(&self) -> &[Handle] {
        &self.runtimes
    }
}

fn worker(mut until: watch::Receiver<()>) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name("worker".to_owned()).spawn(move || {
        // An error means that `Workers` is gone, which is the sign to end.
        drop(runtime.block_on(until.changed()));
    })?;
    Ok(handle)
}
