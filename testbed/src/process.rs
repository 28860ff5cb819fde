//! Runs other programs: captured, streamed or detached. Which program is run, and why, is its caller's.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that could not be run, or that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is not there or may not be executed.
    #[error("failed to start `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// Why the system refused.
        source: std::io::Error,
    },
    /// The program ended with something else than 0.
    #[error("`{command}` ended with {status}{output}")]
    Failed {
        /// The command line.
        command: String,
        /// Exit code or signal.
        status: std::process::ExitStatus,
        /// Its last lines, each on a line of its own.
        output: String,
    },
    /// The log of a detached program could not be opened.
    #[error("failed to write the log {path}", path = path.display())]
    Log {
        /// The log file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Runs to its end with the output captured; standard output without surrounding white space.
///
/// # Errors
/// When it cannot be started or fails; the message carries the last lines of its output.
pub fn output(command: &mut Command) -> Result<String, Error> {
    let shown = show(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Start { command: shown.clone(), source })?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(stdout.trim().to_owned());
    }
    let both = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    Err(Error::Failed { command: shown, status: output.status, output: last_lines(&both) })
}

/// [`output`], whose standard output is of no interest.
pub fn run(command: &mut Command) -> Result<(), Error> {
    output(command).map(drop)
}

/// Whether the program can be started and ends with 0.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs to its end with its output passed on, `hear` being told each line of its standard output.
pub fn stream(command: &mut Command, mut hear: impl FnMut(&str)) -> Result<(), Error> {
    let shown = show(command);
    let start = |source| Error::Start { command: shown.clone(), source };
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(start)?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(start)?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            hear(&line);
        }
    }
    let status = child.wait().map_err(start)?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { command: shown.clone(), status, output: String::new() })
}

/// Starts a program that outlives this one, its output in `log`; its process id.
pub fn detach(command: &mut Command, log: &Path) -> Result<u32, Error> {
    let shown = show(command);
    let open = |source| Error::Log { path: log.to_owned(), source };
    let file = std::fs::File::create(log).map_err(open)?;
    let errors = file.try_clone().map_err(open)?;
    // Its parent's end or a closed terminal must not reach it: the command lines that are detached start with setsid.
    command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .spawn()
        .map(|child| child.id())
        .map_err(|source| Error::Start { command: shown, source })
}

/// The command line as a person would type it, without its environment.
#[must_use]
pub fn show(command: &Command) -> String {
    const LONGEST: usize = 200;
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ").replace('\n', "\\n");
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line,
    }
}

fn last_lines(text: &str) -> String {
    const KEPT: usize = 25;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(KEPT)).fold(String::new(), |mut shown, line| {
        shown.push_str("\n    ");
        shown.push_str(line);
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_the_command_and_its_last_lines() {
        let error = run(Command::new("sh").args(["-c", "echo wrong >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("sh -c"), "{error}");
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("\n    wrong"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "failed to start `no-such-program`");
    }

    #[test]
    fn long_command_lines_are_cut() {
        let shown = show(Command::new("echo").arg("x".repeat(500)));
        assert!(shown.ends_with('…') && shown.chars().count() == 201, "{shown}");
    }

    #[test]
    fn a_streamed_program_is_heard_line_by_line() {
        let mut heard = Vec::new();
        let failed = stream(Command::new("sh").args(["-c", "echo one; echo two; exit 1"]), |line| {
            heard.push(line.to_owned());
        });
        assert!(failed.is_err());
        assert_eq!(heard, ["one", "two"]);
    }
}
