//! What a user who starts the service at a terminal reads first. The log has the same for programs, in its
//! line "Started".

use std::{
    fmt,
    io::{IsTerminal as _, stderr},
    net::SocketAddr,
};

use crate::database::Database;

pub(crate) struct Welcome<'a> {
    /// The address that the API listens on.
    pub(crate) listen: SocketAddr,
    pub(crate) database: &'a Database,
}

impl Welcome<'_> {
    /// Prints nothing where only a program reads.
    pub(crate) fn print(&self) {
        if stderr().is_terminal() {
            eprintln!("{self}");
        }
    }
}

impl fmt::Display for Welcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listen, database } = self;
        let host = match listen.ip() {
            // A browser cannot open `[::]`, and has other names for this machine.
            ip if ip.is_unspecified() || ip.is_loopback() => "localhost".to_owned(),
            _ => listen.to_string().rsplit_once(':').map(|(host, _)| host.to_owned()).unwrap_or_default(),
        };
        writeln!(f, "Open http://{host}:{} to see the todos, which are kept in {database}.", listen.port())?;
        if database.is_default {
            writeln!(f, "To keep them in Postgres, set DATABASE_URL=postgres://user@host/database.")?;
        }
        write!(f, "`todostack-api --help` lists all settings. Ctrl-C stops the service.")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::config::Cli;

    fn welcome(listen: &str, database: &str) -> String {
        let cli = Cli::parse_from(["todostack-api", "--database-url", database]);
        let database = &Database::from_args(&cli.database).unwrap();
        Welcome { listen: listen.parse().unwrap(), database }.to_string()
    }

    #[test]
    fn a_user_reads_where_to_go_and_where_the_todos_are() {
        let text = welcome("[::]:8080", "sqlite:///data/todos.db");
        let first = "Open http://localhost:8080 to see the todos, which are kept in sqlite:///data/todos.db.";
        assert_eq!(text.lines().next(), Some(first));
        assert!(welcome("[2001:db8::1]:80", "sqlite:///a").starts_with("Open http://[2001:db8::1]:80 to"));
    }

    #[test]
    fn the_password_of_the_database_is_not_shown() {
        let text = welcome("127.0.0.1:8080", "postgres://shop:s3cret@db.example.com/todos");
        assert!(text.contains("kept in postgres://shop@db.example.com:5432/todos."), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
