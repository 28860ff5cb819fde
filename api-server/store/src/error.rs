//! Why a store refused or failed. What HTTP makes of it is the API's business.

use std::sync::Arc;

/// The source of a failure, for the log and never for a client; shared, since all callers of a failed batch are told.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

/// The answer of a store.
pub type Result<T> = std::result::Result<T, Error>;

/// Refusals first (the caller's doing), then failures (ours or the database's).
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No such todo in this collection; also when it is another owner's.
    #[error("no such todo")]
    TodoNotFound,
    /// No such list; also when it is another owner's.
    #[error("no such list")]
    ListNotFound,
    /// The todo is there, but not in the version the caller asked for.
    #[error("the todo was changed meanwhile")]
    PreconditionFailed,
    /// A request with the same idempotency key is being worked on.
    #[error("a request with this idempotency key is in progress")]
    KeyInFlight,
    /// The idempotency key was used before with another request.
    #[error("this idempotency key was used with another request")]
    KeyReused,
    /// More requests wait for the database than it can answer in time.
    #[error("too many requests wait for the database")]
    Overloaded,
    /// The database has no room for more; it may still read.
    #[error("the database has no room left")]
    Full(#[source] Source),
    /// The database cannot be reached, is starting or stopping, or lacks another resource.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut(#[source] Source),
    /// Login or right refused: waiting will not help.
    #[error("the database refused access")]
    LoginRefused(#[source] Source),
    /// The database lacks tables or columns that this version needs.
    #[error("the database's schema is older than this version needs")]
    SchemaOutdated(#[source] Source),
    /// A migration could not be carried out.
    #[error("failed to migrate the database")]
    Migration(#[source] Source),
    /// None of the above: a defect.
    #[error("failed to query the database")]
    Internal(#[source] Source),
}

impl Error {
    /// The database is away for a reason that is no error of a library.
    #[must_use]
    pub fn unavailable(why: &'static str) -> Self {
        Self::Unavailable(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(why)))
    }

    /// The same error when it came from a migration: only a database that is away will be another time.
    #[must_use]
    pub fn of_migration(self) -> Self {
        match self {
            Self::Unavailable(source) => Self::Unavailable(source),
            other => Self::Migration(Arc::new(other)),
        }
    }

    /// Whether the whole database, rather than this request, is the trouble, so that another request would fare no better.
    #[must_use]
    pub fn concerns_the_database(&self) -> bool {
        match self {
            Self::Full(_)
            | Self::Unavailable(_)
            | Self::TimedOut(_)
            | Self::LoginRefused(_)
            | Self::SchemaOutdated(_) => true,
            Self::TodoNotFound
            | Self::ListNotFound
            | Self::PreconditionFailed
            | Self::KeyInFlight
            | Self::KeyReused
            | Self::Overloaded
            | Self::Migration(_)
            | Self::Internal(_) => false,
        }
    }
}
