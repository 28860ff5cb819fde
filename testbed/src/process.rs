//! Runs other programs, with their output captured, passed on or written to a log. Callers choose them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("failed to start `{command}`")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` failed: {status}{output}")]
    Failed {
        command: String,
        status: std::process::ExitStatus,
        /// The last lines of its output, each after a line break.
        output: String,
    },
    #[error("failed to write the log {path}", path = path.display())]
    Log { path: PathBuf, source: std::io::Error },
}

/// Runs a program with its output captured; returns the trimmed standard output.
pub fn output(command: &mut Command) -> Result<String, Error> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|source| Error::Start { command: shown.clone(), source })?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(stdout.trim().to_owned());
    }
    let both = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    Err(Error::Failed { command: shown, status: output.status, output: last_lines(&both, 25) })
}

pub fn run(command: &mut Command) -> Result<(), Error> {
    output(command).map(drop)
}

/// Whether the program can be started and exits with 0.
pub fn succeeds(command: &mut Command) -> bool {
    let output = command.stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// Runs a program with its output passed on, and calls `on_line` with each line of its standard output.
pub fn stream(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<(), Error> {
    let shown = show(command);
    let start = |source| Error::Start { command: shown.clone(), source };
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(start)?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(start)?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            on_line(&line);
        }
    }
    let status = child.wait().map_err(start)?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { command: shown, status, output: String::new() })
}

/// Starts a program that outlives this one, with its output in the file `log`; returns its process id.
pub fn detach(command: &mut Command, log: &Path) -> Result<u32, Error> {
    let shown = show(command);
    let open = |source| Error::Log { path: log.to_owned(), source };
    let file = std::fs::File::create(log).map_err(open)?;
    let errors = file.try_clone().map_err(open)?;
    // The command line must start with setsid, or the signals of a closed terminal would reach the program.
    let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
    child.map(|child| child.id()).map_err(|source| Error::Start { command: shown, source })
}

/// The command line as a user would type it, without the environment, cut at 200 characters.
pub fn show(command: &Command) -> String {
    const LONGEST: usize = 200;
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let line = words.join(" ").replace('\n', "\\n");
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line,
    }
}

/// The last lines with text, each after a line break.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(count)).flat_map(|line| ["\n    ", line]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_command_and_the_last_lines_of_its_output() {
        let error = run(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("sh -c"), "{error}");
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(error.ends_with("\n    broken"), "{error}");
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
    fn each_line_of_a_program_is_passed_on() {
        let mut lines = Vec::new();
        let failed = stream(Command::new("sh").args(["-c", "echo one; echo two; exit 1"]), |line| {
            lines.push(line.to_owned());
        });
        assert!(failed.is_err());
        assert_eq!(lines, ["one", "two"]);
    }
}
