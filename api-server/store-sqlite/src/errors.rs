//! Errors of SQLite: one table from result code to [`Error`]. Their HTTP status is decided by the API.

use std::sync::Arc;

use todostack_store::Error;

/// <https://www.sqlite.org/rescode.html>
pub(crate) fn store_error(error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    let message = error.as_database_error().map(|error| error.message().to_owned()).unwrap_or_default();
    // The low byte is the primary code, the other bytes are details.
    match (code, code.map(|code| code & 0xff)) {
        // SQLITE_CONSTRAINT_FOREIGNKEY; the only one is from a todo to its list.
        (Some(787), _) => Error::ListNotFound,
        // BUSY, LOCKED
        (_, Some(5 | 6)) => Error::TimedOut(Arc::new(error)),
        // FULL
        (_, Some(13)) => Error::Full(Arc::new(error)),
        // PERM, READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB
        (_, Some(3 | 8 | 10 | 11 | 14 | 26)) => Error::Unavailable(Arc::new(error)),
        // ERROR: SQLite has no special code for a missing table or column.
        (_, Some(1)) if message.starts_with("no such table") || message.starts_with("no such column") => {
            Error::SchemaOutdated(Arc::new(error))
        }
        (Some(_), _) => Error::Internal(Arc::new(error)),
        (None, _) => match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed => Error::Unavailable(Arc::new(error)),
            _ => Error::Internal(Arc::new(error)),
        },
    }
}
