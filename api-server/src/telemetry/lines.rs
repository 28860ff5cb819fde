//! Non-blocking log writer: buffers lines in memory; a background thread writes many with one system call
//! (docs/adr/0008). The format of a line is not decided here.
//!
//! `NonBlocking` of tracing-appender wakes its thread for each line: 1.7 to 8 µs of CPU a line, formatted and written to
//! a pipe at 50,000 lines a second. This takes 1.4 µs. A whole request takes 28 µs on two cores.
//!
//! # Guarantees
//! - No request waits for the reader of the log: the buffer is bounded, and lines beyond it are dropped, counted and reported.
//! - A line is written within [`FLUSH_AFTER`], a warning or an error at once, and all of them before [`Log`] is dropped.

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

/// A system call for each line would cost as much as a tenth of a request.
const FLUSH_AFTER: Duration = Duration::from_millis(50);
/// As much as a pipe takes at once.
const WRITE_AT: usize = 64 * 1_024;
/// Some 4,000 lines.
const MAX_BYTES: usize = 1_024 * 1_024;
/// How long the last lines may take to be written, when nobody reads them.
const END_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    /// Lines that found no room.
    lost: u64,
    /// Whether one of them is a warning or an error.
    urgent: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8], urgent: bool) {
        let mut waiting = self.waiting();
        let before = waiting.text.len();
        let after = before.saturating_add(line.len());
        if after > MAX_BYTES {
            waiting.lost = waiting.lost.saturating_add(1);
            return;
        }
        waiting.text.extend_from_slice(line);
        waiting.urgent |= urgent;
        drop(waiting);
        // Waking is a system call too: only the line that makes a difference to the thread does it.
        if before == 0 || urgent || (before < WRITE_AT && after >= WRITE_AT) {
            self.changed.notify_one();
        }
    }

    /// Waits for lines and puts them into `text`; says whether they were the last.
    fn gather(&self, text: &mut Vec<u8>) -> bool {
        let nothing = |waiting: &mut Waiting| waiting.text.is_empty() && !waiting.ended;
        let waiting =
            self.changed.wait_while(self.waiting(), nothing).unwrap_or_else(PoisonError::into_inner);
        let early =
            |waiting: &mut Waiting| waiting.text.len() < WRITE_AT && !waiting.urgent && !waiting.ended;
        let gathered = self.changed.wait_timeout_while(waiting, FLUSH_AFTER, early);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        mem::swap(text, &mut waiting.text);
        waiting.urgent = false;
        let lost = mem::take(&mut waiting.lost);
        if lost > 0 {
            text.extend_from_slice(loss(lost).as_bytes());
        }
        waiting.ended
    }
}

/// The line that stands for those that are missing. It cannot go the way of the others, which is full.
fn loss(lines: u64) -> String {
    let mut now = String::new();
    // A line without its time still tells.
    let _ = SystemTime.format_time(&mut Writer::new(&mut now));
    let message = "Lines of the log were lost, since it is read too slowly";
    format!("{}\n", json!({"timestamp": now, "level": "WARN", "message": message, "lines": lines}))
}

/// Where lines are put.
#[derive(Clone, Debug)]
pub struct Lines(Arc<Shared>);

/// One line on its way.
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

/// The log while it runs; dropping it writes what is left.
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
            // Whoever waited for it may have given up.
            let _ = end.send(());
        })?;
        Ok((Self { shared: Arc::clone(&shared), ended }, Lines(shared)))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.waiting().ended = true;
        self.shared.changed.notify_one();
        // An error is a log that nobody reads, of which nobody can be told.
        let _ = self.ended.recv_timeout(END_TIMEOUT);
    }
}

fn write_all(shared: &Shared, mut output: impl Write) {
    let mut text = Vec::with_capacity(WRITE_AT);
    loop {
        let last = shared.gather(&mut text);
        // There is no place to say that standard output is closed.
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

    /// Takes what is written when it is let.
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
    fn all_lines_are_written_in_their_order_before_the_log_is_gone() {
        let output = Output::default();
        let (log, lines) = Log::start(output.clone()).unwrap();
        let expected = (0..3_000).map(|number| format!("line {number}\n")).collect::<Vec<_>>().concat();
        for line in expected.split_inclusive('\n') {
            lines.make_writer().write_all(line.as_bytes()).unwrap();
        }
        drop(log);
        assert_eq!(output.text(), expected);
        assert!(output.0.lock().unwrap().len() < 300, "they are gathered");
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
    fn while_the_output_is_stuck_nobody_waits_and_what_is_lost_is_told() {
        let output = Output::default();
        let (log, lines) = Log::start(output.clone()).unwrap();
        let stuck = output.0.lock().unwrap();
        let line = [b"x".repeat(1_023), b"\n".to_vec()].concat();
        // One room is being written, the other fills.
        for _ in 0..3 * MAX_BYTES / line.len() {
            lines.make_writer().write_all(&line).unwrap();
        }
        drop(stuck);
        drop(log);
        let text = output.text();
        let told: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let written = text.lines().count() as u64 - 1;
        assert_eq!(told["lines"].as_u64().unwrap() + written, (3 * MAX_BYTES / line.len()) as u64);
    }
}
