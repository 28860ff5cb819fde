//! Many streams of events on one replica: the memory that they take, and the time from the request that
//! causes an event to its arrival on each stream. Over loopback, with the clients on the same cores.
//!
//! Starts the service on a SQLite file or, with `DATABASE_URL`, on that empty Postgres database. Both
//! processes need a file descriptor for each stream (`ulimit -n`).

use std::{
    env,
    error::Error,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const STREAMS: usize = 10_000;
const EVENTS: usize = 40;
/// Between two events, so that each is delivered to all streams before the next.
const PAUSE: Duration = Duration::from_millis(500);
const DEADLINE: Duration = Duration::from_secs(30);

/// When the request that causes each event was sent.
type Sent = Arc<Mutex<Vec<Instant>>>;

#[tokio::main]
async fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let streams = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(STREAMS);
    let folder = tempfile::tempdir()?;
    let service = Service::start(streams, folder.path()).await?;
    let before = service.rss_mib()?;
    let (report, mut delays) = mpsc::unbounded_channel();
    let sent = Sent::default();
    let opening = Instant::now();
    for _ in 0..streams {
        let stream = open(service.address).await?;
        tokio::spawn(follow(stream, Arc::clone(&sent), report.clone()));
    }
    let opened = opening.elapsed();
    let mut all = Vec::with_capacity(streams.saturating_mul(EVENTS));
    for number in 0..EVENTS {
        sleep(PAUSE).await;
        create(service.address, number, &sent).await?;
        for _ in 0..streams {
            all.extend(timeout(DEADLINE, delays.recv()).await?);
        }
    }
    let after = service.rss_mib()?;
    let each = (after - before) * 1_024.0 / f64::from(u32::try_from(streams)?);
    println!("{streams} streams, opened in {:.1} s", opened.as_secs_f64());
    println!(
        "request to event: p50 {:.0} ms, p99 {:.0} ms",
        percentile(&mut all, 50),
        percentile(&mut all, 99)
    );
    println!("RSS: {before:.0} MiB without streams, {after:.0} MiB with them, {each:.1} KiB a stream");
    Ok(())
}

/// In milliseconds.
fn percentile(delays: &mut [Duration], percent: usize) -> f64 {
    delays.sort_unstable();
    let place = delays.len().saturating_sub(1).saturating_mul(percent) / 100;
    delays.get(place).copied().unwrap_or_default().as_secs_f64() * 1_000.0
}

/// Returns when the stream has begun.
async fn open(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /todos/events HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut head = [0; 2_048];
    let count = timeout(DEADLINE, stream.read(&mut head)).await??;
    let head = String::from_utf8_lossy(head.get(..count).unwrap_or_default());
    if head.starts_with("HTTP/1.1 200") { Ok(stream) } else { Err(head.into()) }
}

/// Reports the delay of each event, whose title is its number.
async fn follow(mut stream: TcpStream, sent: Sent, report: mpsc::UnboundedSender<Duration>) {
    let (mut text, mut buffer, mut next) = (String::new(), [0; 2_048], 0);
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        text.push_str(&String::from_utf8_lossy(buffer.get(..count).unwrap_or_default()));
        if text.contains(&format!("\"title\":\"{next}\"")) {
            let sent = sent.lock().unwrap_or_else(PoisonError::into_inner).get(next).copied();
            if sent.is_none_or(|sent| report.send(sent.elapsed()).is_err()) {
                // The measurement has ended.
                return;
            }
            text.clear();
            next += 1;
        }
    }
}

async fn create(address: SocketAddr, number: usize, sent: &Sent) -> Result<()> {
    let body = format!("{{\"title\":\"{number}\"}}");
    let head =
        "POST /todos HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json";
    sent.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    if response.starts_with("HTTP/1.1 201") { Ok(()) } else { Err(response.into()) }
}

struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    async fn start(streams: usize, folder: &Path) -> Result<Self> {
        let (address, operations) = (free_address().await?, free_address().await?);
        let command = |subcommand: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
            command.arg(subcommand).current_dir(folder).stdout(Stdio::null());
            command.env("TODOSTACK_LISTEN", address.to_string());
            command.env("TODOSTACK_OPERATIONS_LISTEN", operations.to_string());
            command
                .env("TODOSTACK_MAX_EVENT_STREAMS", streams.to_string())
                .env("TODOSTACK_LOG_LEVEL", "warn");
            command
        };
        if env::var_os("DATABASE_URL").is_some() && !command("migrate").status()?.success() {
            return Err("the migration failed".into());
        }
        let service = Self { process: command("serve").spawn()?, address };
        let started = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            if started.elapsed() > DEADLINE {
                return Err("the service does not listen".into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(service)
    }

    fn rss_mib(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(f64::from(kib) / 1_024.0)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

async fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?)
}
