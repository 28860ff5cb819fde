//! Clients that add todos through the Ingress without a pause, each with an Idempotency-Key, while a test
//! breaks something. They record what the API acknowledged; the faults are the test's.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{namespace::Namespace, todos::Todos};

const WRITERS: usize = 20;
// Together 100 todos per second.
const WRITE_EVERY: Duration = Duration::from_millis(200);
const LONGEST_OUTAGE: Duration = Duration::from_mins(5);

pub struct Writers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Result<Vec<String>>>>,
    progress: watch::Receiver<Progress>,
}

struct Progress {
    count: usize,
    // When the newest request that was acknowledged was sent.
    last_sent: Instant,
}

impl Writers {
    pub fn start(host: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, progress) = watch::channel(Progress { count: 0, last_sent: Instant::now() });
        let write = |writer| {
            let (stop, sender, todos) = (Arc::clone(&stop), sender.clone(), Todos::at_host(host));
            tokio::spawn(async move { write_until(&stop, &todos, writer, &sender).await })
        };
        Self { tasks: (0..WRITERS).map(write).collect(), stop, progress }
    }

    // Waits until a todo is acknowledged that was sent after now.
    pub async fn until_next(&self, deadline: Duration) -> Result<()> {
        let start = Instant::now();
        self.until("acknowledged", deadline, |progress| progress.last_sent > start).await
    }

    // Waits until this many more todos are acknowledged.
    pub async fn until_more(&self, count: usize, deadline: Duration) -> Result<()> {
        let enough = self.progress.borrow().count + count;
        self.until(&format!("{count} more acknowledged"), deadline, |progress| progress.count >= enough).await
    }

    async fn until(
        &self,
        expected: &str,
        deadline: Duration,
        condition: impl FnMut(&Progress) -> bool,
    ) -> Result<()> {
        let mut progress = self.progress.clone();
        let waited = tokio::time::timeout(deadline, progress.wait_for(condition)).await;
        waited.with_context(|| format!("todos: not {expected} within {} s", deadline.as_secs()))??;
        Ok(())
    }

    // Returns the titles that the API acknowledged.
    pub async fn stop(self) -> Result<Vec<String>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut acknowledged = Vec::new();
        for task in self.tasks {
            acknowledged.extend(task.await??);
        }
        Ok(acknowledged)
    }
}

async fn write_until(
    stop: &AtomicBool,
    todos: &Todos,
    writer: usize,
    progress: &watch::Sender<Progress>,
) -> Result<Vec<String>> {
    let mut acknowledged = Vec::new();
    let mut failing_since = None;
    let mut ticks = interval(WRITE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let start = Instant::now();
        // The same title and key again until it is acknowledged.
        let title = format!("writer-{writer}-todo-{}", acknowledged.len());
        let failure = match todos.add_once(&title, &title).await {
            Ok((StatusCode::CREATED, _)) => None,
            Ok((status, body)) => {
                let is_retried = status.is_server_error() || status == StatusCode::CONFLICT;
                ensure!(is_retried, "POST /todos: {status}: {body}");
                Some(format!("{status}: {body}"))
            }
            Err(error) => Some(format!("{error:#}")),
        };
        if let Some(failure) = failure {
            let since = *failing_since.get_or_insert(start);
            ensure!(since.elapsed() < LONGEST_OUTAGE, "{title} is not acknowledged: {failure}");
            continue;
        }
        failing_since = None;
        progress.send_modify(|progress| {
            progress.count += 1;
            progress.last_sent = progress.last_sent.max(start);
        });
        acknowledged.push(title);
    }
    Ok(acknowledged)
}

impl Namespace {
    // Fails unless the database of `stack` has each acknowledged todo, and none twice.
    pub async fn ensure_stored_once(&self, stack: &str, acknowledged: &[String]) -> Result<()> {
        let pod = format!("{stack}-db-0");
        let select = "select title from todos where title like 'writer-%'";
        let psql = ["psql", "--username=postgres", "--dbname=todo", "--no-psqlrc", "--tuples-only"];
        let exec =
            [&["exec", &pod, "--container=postgres", "--"], &psql[..], &["--no-align", "--command", select]];
        let rows = self.kubectl(&exec.concat()).await?;
        let mut stored: HashMap<&str, usize> = HashMap::new();
        for title in rows.lines() {
            *stored.entry(title).or_default() += 1;
        }
        let lost: Vec<_> = acknowledged.iter().filter(|title| !stored.contains_key(title.as_str())).collect();
        let doubled: Vec<_> = stored.iter().filter(|(_, count)| **count > 1).collect();
        ensure!(
            lost.is_empty() && doubled.is_empty(),
            "of {} acknowledged todos, lost: {lost:?}, stored more than once: {doubled:?}",
            acknowledged.len()
        );
        Ok(())
    }
}
