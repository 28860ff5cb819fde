//! Non-blocking log writer: buffers lines in memory; a background thread writes many with one system call
//! (docs/adr/0008). The format of a line is not decided here.
//!
//! `NonBlocking` of tracing-appender wakes its thread for each line: 1.7 to 8 µs of CPU a line, formatted and
//! written to a pipe at 50,000 lines a second. This takes 1.4 µs. A whole request takes 28 µs on two cores.
//!
//! # Guarantees
//! - No request waits for the reader of the log: the buffer is bounded; lines beyond it are dropped, counted
//!   and reported.
//! - A line is written within [`FLUSH_AFTER`], a warning or an error at once, and all of them before [`Log`]
//!   is dropped.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use serde_json::json;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::{
    MakeWriter,
    format::Writer,
    time::{FormatTime as _, SystemTime},
};

/// A system call for each line would take a tenth of the time of a request.
const FLUSH_AFTER: Duration = Duration::from_millis(50);
/// The capacity of a pipe.
const WRITE_AT: usize = 64 * 1_024;
/// Some 4,000 lines about requests.
const MAX_BYTES: usize = 1_024 * 1_024;
/// How long the last lines may take to be written when standard output is not read.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct Buffer {
    text: Vec<u8>,
    /// Lines that did not fit.
    dropped: u64,
    /// Whether one of them is a warning or an error.
    urgent: bool,
    closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    changed: Condvar,
}

impl Shared {
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8], urgent: bool) {
        let mut buffer = self.buffer();
        let before = buffer.text.len();
        let after = before.saturating_add(line.len());
        if after > MAX_BYTES {
            // The line is lost and not the oldest one: what is buffered is already on its way.
            buffer.dropped = buffer.dropped.saturating_add(1);
            return;
        }
        buffer.text.extend_from_slice(line);
        buffer.urgent |= urgent;
        drop(buffer);
        // Waking the thread is a system call too: only the line that makes a difference does it.
        if before == 0 || urgent || (before < WRITE_AT && after >= WRITE_AT) {
            self.changed.notify_one();
        }
    }

    /// Waits for lines and moves them into `text`; returns whether they were the last.
    fn gather(&self, text: &mut Vec<u8>) -> bool {
        let nothing = |buffer: &mut Buffer| buffer.text.is_empty() && !buffer.closed;
        let buffer = self.changed.wait_while(self.buffer(), nothing).unwrap_or_else(PoisonError::into_inner);
        let early = |buffer: &mut Buffer| buffer.text.len() < WRITE_AT && !buffer.urgent && !buffer.closed;
        let gathered = self.changed.wait_timeout_while(buffer, FLUSH_AFTER, early);
        let (mut buffer, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        mem::swap(text, &mut buffer.text);
        buffer.urgent = false;
        let dropped = mem::take(&mut buffer.dropped);
        if dropped > 0 {
            text.extend_from_slice(dropped_line(dropped).as_bytes());
        }
        buffer.closed
    }
}

/// The line that reports dropped lines. Not by `tracing`, since the buffer is full.
fn dropped_line(lines: u64) -> String {
    let mut now = String::new();
    // Formatting the time into a string cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut now));
    let message = "Dropped log lines: standard output is read too slowly";
    format!("{}\n", json!({"timestamp": now, "level": "WARN", "message": message, "lines": lines}))
}

#[derive(Clone, Debug)]
pub struct Lines(Arc<Shared>);

#[derive(Debug)]
pub struct Line<'a> {
    shared: &'a Shared,
    urgent: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { shared: &self.0, urgent: false }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        // A crash may follow a warning within the 50 ms that other lines wait.
        Line { shared: &self.0, urgent: *meta.level() <= Level::WARN }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.shared.push(line, self.urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Dropping it writes the buffered lines.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    ended: mpsc::Receiver<()>,
}

impl Log {
    /// Starts the thread that writes to `output`.
    pub fn start(output: impl Write + Send + 'static) -> io::Result<(Self, Lines)> {
        let shared = Arc::<Shared>::default();
        let (end, ended) = mpsc::channel();
        let thread = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            write_all(&thread, output);
            // The receiver may have given up after its timeout.
            let _ = end.send(());
        })?;
        Ok((Self { shared: Arc::clone(&shared), ended }, Lines(shared)))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.buffer().closed = true;
        self.shared.changed.notify_one();
        // An error means that standard output is not read, which cannot be reported anywhere.
        let _ = self.ended.recv_timeout(CLOSE_TIMEOUT);
    }
}

fn write_all(shared: &Shared, mut output: impl Write) {
    let mut text = Vec::with_capacity(WRITE_AT);
    loop {
        let last = shared.gather(&mut text);
        // An error cannot be reported anywhere when standard output is closed.
        drop(output.write_all(&text).and_then(|()| output.flush()));
        text.clear();
        if last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Stuck while a test holds the lock.
    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Output {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(text.to_vec());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Output {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().concat()).unwrap()
        }

        fn until(&self, condition: impl Fn(&str) -> bool) {
            let deadline = Instant::now() + Duration::from_secs(10);
            while !condition(&self.text()) {
                assert!(Instant::now() < deadline, "{}", self.text());
                thread::yield_now();
            }
        }
    }

    #[test]
    fn all_lines_are_written_in_order_before_the_log_is_dropped() {
        let output = Output::default();
        let (log, lines) = Log::start(output.clone()).unwrap();
        let expected = (0..3_000).map(|number| format!("line {number}\n")).collect::<Vec<_>>().concat();
        for line in expected.split_inclusive('\n') {
            lines.make_writer().write_all(line.as_bytes()).unwrap();
        }
        drop(log);
        assert_eq!(output.text(), expected);
        assert!(output.0.lock().unwrap().len() < 300, "lines are batched");
    }

    #[test]
    fn a_line_is_written_although_no_other_follows() {
        let output = Output::default();
        let (_log, lines) = Log::start(output.clone()).unwrap();
        for number in 1..=2 {
            lines.make_writer().write_all(b"line\n").unwrap();
            output.until(|text| text.lines().count() == number);
        }
    }

    #[test]
    fn while_the_output_is_stuck_no_writer_waits_and_dropped_lines_are_reported() {
        let output = Output::default();
        let (log, lines) = Log::start(output.clone()).unwrap();
        let stuck = output.0.lock().unwrap();
        let line = [b"x".repeat(1_023), b"\n".to_vec()].concat();
        // One buffer is being written, the other one fills.
        for _ in 0..3 * MAX_BYTES / line.len() {
            lines.make_writer().write_all(&line).unwrap();
        }
        drop(stuck);
        drop(log);
        // Several reports if the thread started late.
        let text = output.text();
        let (reports, written): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('{'));
        let dropped =
            |line: &&str| serde_json::from_str::<serde_json::Value>(line).unwrap()["lines"].as_u64();
        let dropped: u64 = reports.iter().map(|line| dropped(line).unwrap()).sum();
        assert!(dropped > 0);
        assert_eq!(dropped + written.len() as u64, (3 * MAX_BYTES / line.len()) as u64);
    }
}
