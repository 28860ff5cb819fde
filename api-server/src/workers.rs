//! The threads that answer requests. Each has a runtime of its own, so that a request, its batch and its
//! connection to the database stay on one thread (docs/adr/0010-one-runtime-per-thread.md).

use std::{io, thread};

use anyhow::Context as _;
use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
};

/// Two threads saturate a Postgres (docs/benchmarks.md), and each needs connections of its own.
const MAX_THREADS: usize = 2;

/// The running threads, which stop when this is dropped.
#[derive(Debug)]
pub struct Workers {
    runtimes: Vec<Handle>,
    _running: watch::Sender<()>,
}

impl Workers {
    /// Starts one thread per core, at most two.
    pub fn start() -> anyhow::Result<Self> {
        // Respects the CPU limit of the container.
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let (running, until) = watch::channel(());
        let runtimes = (0..cores.min(MAX_THREADS)).map(|_| worker(until.clone()));
        let runtimes = runtimes.collect::<io::Result<_>>().context("failed to start a worker thread")?;
        Ok(Self { runtimes, _running: running })
    }

    /// For spawning tasks on each thread.
    pub fn runtimes(&self) -> &[Handle] {
        &self.runtimes
    }
}

fn worker(mut until: watch::Receiver<()>) -> io::Result<Handle> {
    // A shared runtime would move requests between threads, at the cost of a wake-up each.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name("worker".to_owned()).spawn(move || {
        // An error means that `Workers` was dropped, which is the signal to stop.
        drop(runtime.block_on(until.changed()));
    })?;
    Ok(handle)
}
