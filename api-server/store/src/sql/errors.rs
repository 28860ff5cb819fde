//! Errors of both databases: one table from their codes to [`Error`]. The API decides their HTTP status.

use std::{borrow::Cow, sync::Arc};

use sqlx::error::DatabaseError;

use crate::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let Some(code) = error.as_database_error().and_then(|error| error.code().map(Cow::into_owned)) {
            return from_code(&code, Arc::new(error));
        }
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed => Self::Unavailable(Arc::new(error)),
            // Its text can contain a character of the password, one that SASLprep prohibits.
            sqlx::Error::Configuration(_) => {
                let why = "invalid connection setting, for example a password with a character that RFC 4013 \
                           prohibits";
                Self::Internal(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(why)))
            }
            _ => Self::Internal(Arc::new(error)),
        }
    }
}

/// What a pooler needs to keep prepared statements: PgBouncer as of 1.21 keeps them in transaction mode too.
const IN_SESSION_MODE: &str = "pool_mode = session";
/// What PgBouncer does not support, and the setting that changes that.
const NOT_SUPPORTED: [(&str, &str); 3] = [
    ("unsupported startup parameter", "ignore_startup_parameters = options"),
    ("unsupported options startup parameter", "ignore_startup_parameters = options"),
    ("statement pooling", IN_SESSION_MODE),
];

/// Postgres: <https://www.postgresql.org/docs/current/errcodes-appendix.html>, five characters.
/// SQLite: <https://www.sqlite.org/rescode.html>, numbers of at most four digits.
fn from_code(code: &str, source: Arc<sqlx::Error>) -> Error {
    // The low byte is the primary code of SQLite, the other bits are details.
    let primary = if code.len() < 5 { code.parse::<u16>().ok().map(|code| code & 0xff) } else { None };
    let message = source.as_database_error().map(DatabaseError::message).unwrap_or_default();
    match (code, primary) {
        // Foreign key violation; the only one is from a todo to its list.
        ("23503" | "787", _) => Error::ListNotFound,
        // Invalid SQL statement name, duplicate prepared statement: a pooler gave the statement and its use
        // connections of their own.
        ("26000" | "42P05", _) => Error::Pooler(IN_SESSION_MODE, source),
        // Protocol violation, as poolers report what they do not support.
        ("08P01", _) => match NOT_SUPPORTED.iter().find(|(text, _)| message.contains(text)) {
            Some((_, setting)) => Error::Pooler(setting, source),
            None => Error::Unavailable(source),
        },
        // Invalid password, invalid authorization, invalid database name, insufficient privilege.
        ("28P01" | "28000" | "3D000" | "42501", _) => Error::LoginRefused(source),
        // Query canceled, as by the statement timeout; lock not available; BUSY, LOCKED.
        ("57014" | "55P03", _) | (_, Some(5 | 6)) => Error::TimedOut(source),
        // Disk full, before the rest of its class; FULL.
        ("53100", _) | (_, Some(13)) => Error::Full(source),
        // Undefined table, undefined column; ERROR: SQLite has no special code for them.
        ("42P01" | "42703", _) => Error::SchemaOutdated(source),
        (_, Some(1)) if message.starts_with("no such table") || message.starts_with("no such column") => {
            Error::SchemaOutdated(source)
        }
        // Admin shutdown, crash shutdown, cannot connect now; read-only transaction, as after a failover;
        // PERM, READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB.
        ("57P01" | "57P02" | "57P03" | "25006", _) | (_, Some(3 | 8 | 10 | 11 | 14 | 26)) => {
            Error::Unavailable(source)
        }
        // Connection exception; insufficient resources (out of memory, too many connections); I/O error.
        (_, None) if ["08", "53", "58"].iter().any(|class| code.starts_with(class)) => {
            Error::Unavailable(source)
        }
        _ => Error::Internal(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_an_invalid_password_contains_nothing_of_it() {
        let error = Error::from(sqlx::Error::Configuration("ProhibitedCharacter('x')".into()));
        assert!(!format!("{error:?}").contains("'x'"), "{error:?}");
    }
}
