//! Why a store rejected a request or failed. The API decides which HTTP status that becomes.

use std::sync::Arc;

/// The cause of a failure, for the log and never for a client. Shared, since every caller of a failed batch
/// gets it.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

/// The result of a method of [`Store`](crate::Store).
pub type Result<T> = std::result::Result<T, Error>;

/// Rejections first, which the caller can avoid; then failures of the database or of this service.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The todo does not exist in this collection; also when it belongs to another owner.
    #[error("the todo does not exist")]
    TodoNotFound,
    /// The list does not exist; also when it belongs to another owner.
    #[error("the list does not exist")]
    ListNotFound,
    /// The todo or list exists, but in none of the versions that the caller named.
    #[error("it was changed by another request")]
    PreconditionFailed,
    /// A request with the same idempotency key has not finished.
    #[error("a request with this idempotency key is in progress")]
    KeyInFlight,
    /// The idempotency key was used before with another request.
    #[error("this idempotency key was used with another request")]
    KeyReused,
    /// More requests wait for the database than it can process in time.
    #[error("too many requests wait for the database")]
    Overloaded,
    /// The disk of the database is full; reads may still succeed.
    #[error("the database has no disk space left")]
    Full(#[source] Source),
    /// The database cannot be reached, is starting or stopping, or lacks another resource.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// A statement or a lock took too long.
    #[error("the database did not respond in time")]
    TimedOut(#[source] Source),
    /// A connection pooler in front of the database does not work with this service until it has a setting.
    #[error("the connection pooler lacks a setting that this service needs, {0}")]
    Pooler(&'static str, #[source] Source),
    /// Authentication failed, or a role or permission is missing: waiting does not help.
    #[error("the database denied access")]
    LoginRefused(#[source] Source),
    /// The database lacks tables or columns that this version needs.
    #[error("the database schema is older than this version needs")]
    SchemaOutdated(#[source] Source),
    /// A migration failed.
    #[error("failed to migrate the database")]
    Migration(#[source] Source),
    /// Any other error, which is a defect of this service.
    #[error("failed to query the database")]
    Internal(#[source] Source),
}

impl Error {
    /// The database is not available for a reason that no library reports.
    pub fn unavailable(why: &'static str) -> Self {
        Self::Unavailable(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(why)))
    }

    /// Whether other requests to the database would fail too.
    pub fn concerns_the_database(&self) -> bool {
        match self {
            Self::Full(_)
            | Self::Unavailable(_)
            | Self::TimedOut(_)
            | Self::Pooler(..)
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
