//! How a temporary server differs from the defaults of Postgres.

use std::path::{Path, PathBuf};

/// How a temporary server differs from the defaults of Postgres.
#[derive(Clone, Debug, Default)]
pub struct Options {
    settings: Vec<(String, String)>,
    write_ahead_log: Option<PathBuf>,
}

impl Options {
    /// Sets a parameter of `postgresql.conf`.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Does not wait for the disk: faster, but a crash of the machine can lose data that was committed.
    pub fn without_durability(self) -> Self {
        ["fsync", "synchronous_commit", "full_page_writes"]
            .into_iter()
            .fold(self, |options, name| options.setting(name, "off"))
    }

    /// Puts the write-ahead log into an empty folder, such as one on another disk. It then grows by 1 MiB at
    /// a time.
    pub fn write_ahead_log_in(self, folder: &Path) -> Self {
        Self { write_ahead_log: Some(folder.to_owned()), ..self }
    }

    pub(crate) fn write_ahead_log(&self) -> Option<&Path> {
        self.write_ahead_log.as_deref()
    }

    /// Lines for `postgresql.conf`, after those that every temporary server has.
    pub(crate) fn configuration(&self, before: &str) -> String {
        let lines =
            self.settings.iter().map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")));
        std::iter::once(before.to_owned()).chain(lines).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_a_value_do_not_end_it() {
        let options = Options::default().setting("log_line_prefix", "it's");
        assert_eq!(options.configuration("port = 1\n"), "port = 1\nlog_line_prefix = 'it''s'\n");
    }
}
