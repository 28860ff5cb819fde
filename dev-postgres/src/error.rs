//! Why a temporary server could not be started or stopped.

/// The result of an operation on a temporary server.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a temporary server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No Postgres is installed.
    #[error("failed to find initdb in /usr/lib/postgresql/*/bin and on PATH: install the package postgresql")]
    NotInstalled,
    /// This process runs as root, and there is no user to run the server as.
    #[error(
        "failed to find the user postgres, which runs the server for root: install the package postgresql"
    )]
    NoUser,
    /// A folder or file of the server cannot be written.
    #[error("failed to write the folder of the temporary Postgres")]
    Folder(#[source] std::io::Error),
    /// No port is free.
    #[error("failed to find a free port for the temporary Postgres")]
    Port(#[source] std::io::Error),
    /// A program could not be run.
    #[error("failed to run {program}")]
    NoProgram {
        /// Its name or path.
        program: String,
        /// What the system reports.
        source: std::io::Error,
    },
    /// A program of Postgres failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// The path of the program.
        program: String,
        /// What it wrote to its standard error or the server to its log, on one line.
        output: String,
    },
}

pub(crate) fn on_one_line(output: &str) -> String {
    output.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
