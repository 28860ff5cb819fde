//! Flags and environment variables of the database. Which database they name is decided in `database`.

use std::path::PathBuf;

use clap::Args;

/// Without `Debug`, since the URL may hold a password.
#[derive(Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// postgres://user@host/database or sqlite://file. Without it: Postgres by PGHOST, PGPORT, PGUSER,
    /// PGPASSWORD, PGDATABASE and PGSSLMODE when PGHOST is set, else --sqlite-file.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// SQLite file when no other database is named. Created if it does not exist.
    #[arg(long, global = true, env = "TODOSTACK_SQLITE_FILE", default_value = "todos.db")]
    pub sqlite_file: PathBuf,
    /// Host of Postgres; see --database-url.
    #[arg(long, global = true, env = "PGHOST", hide = true)]
    pub pghost: Option<String>,
    /// File with the password for Postgres, such as a secret of a container, instead of PGPASSWORD. A newline
    /// at its end is ignored.
    #[arg(long, global = true, env = "PGPASSWORD_FILE")]
    pub pgpassword_file: Option<PathBuf>,
    /// Maximum number of connections to Postgres; by default an eighth of what the server allows, 6 to 16.
    #[arg(long, global = true, env = "TODOSTACK_DATABASE_MAX_CONNECTIONS")]
    #[arg(value_parser = clap::value_parser!(u32).range(6..))]
    pub database_max_connections: Option<u32>,
}
