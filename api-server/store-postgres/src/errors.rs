//! Errors of Postgres: one table from SQLSTATE to [`Error`]. Their HTTP status is decided by the API.

use std::{borrow::Cow, sync::Arc};

use todostack_store::Error;

pub(crate) fn store_error(error: sqlx::Error) -> Error {
    if let Some(state) = error.as_database_error().and_then(|error| error.code().map(Cow::into_owned)) {
        return from_state(&state, Arc::new(error));
    }
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => Error::Unavailable(Arc::new(error)),
        // Its text can contain a character of the password, one that SASLprep prohibits.
        sqlx::Error::Configuration(_) => {
            Error::Internal(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
                "invalid connection setting, for example a password with a character that RFC 4013 prohibits",
            )))
        }
        _ => Error::Internal(Arc::new(error)),
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn from_state(state: &str, source: Arc<sqlx::Error>) -> Error {
    match state {
        // Invalid password, invalid authorization, invalid database name, insufficient privilege.
        "28P01" | "28000" | "3D000" | "42501" => Error::LoginRefused(source),
        // Admin shutdown, crash shutdown, cannot connect now; read-only transaction, as after a failover.
        "57P01" | "57P02" | "57P03" | "25006" => Error::Unavailable(source),
        // Query canceled, as by the statement timeout; lock not available.
        "57014" | "55P03" => Error::TimedOut(source),
        // Undefined table, undefined column.
        "42P01" | "42703" => Error::SchemaOutdated(source),
        // Foreign key violation; the only one is from a todo to its list.
        "23503" => Error::ListNotFound,
        // Disk full, before the rest of its class.
        "53100" => Error::Full(source),
        // Connection exception; insufficient resources (out of memory, too many connections); I/O error.
        _ if ["08", "53", "58"].iter().any(|class| state.starts_with(class)) => Error::Unavailable(source),
        _ => Error::Internal(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_an_invalid_password_contains_nothing_of_it() {
        let error = store_error(sqlx::Error::Configuration("ProhibitedCharacter('x')".into()));
        assert!(!format!("{error:?}").contains("'x'"), "{error:?}");
    }
}
