//! What the API asks of a database; one crate per database answers it.

use async_trait::async_trait;

use crate::{
    Collection, Error, Filter, List, ListId, NewList, NewTodo, Owner, Precondition, Result, Todo, TodoPatch,
    TodoPlace, TodoQuery,
};

/// An `Idempotency-Key` and what it may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key as the client sent it.
    pub key: String,
    /// A digest of the request: the same key with another one is a mistake of the client.
    pub fingerprint: Vec<u8>,
}

/// A todo that a POST made, now or the first time its idempotency key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// As it was when made.
    pub todo: Todo,
    /// Whether this is the repetition of an earlier answer.
    pub replayed: bool,
}

/// How far the database has been migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The number of the last migration in the database; 0 before the first.
    pub found: i64,
    /// The number of the last migration this version knows.
    pub wanted: i64,
}

impl SchemaVersion {
    /// From the number of the last migration in the database. Before the first, not even the table that
    /// counts them is there.
    pub fn of(found: Result<i64>, wanted: i64) -> Result<Self> {
        match found {
            Ok(found) => Ok(Self { found, wanted }),
            Err(Error::SchemaOutdated(_)) => Ok(Self { found: 0, wanted }),
            Err(error) => Err(error),
        }
    }

    /// Whether this version can serve: a newer schema is fine, since migrations only expand until the next
    /// release contracts.
    #[must_use]
    pub fn serves(self) -> bool {
        self.found >= self.wanted
    }
}

/// Connections, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Open.
    pub open: u32,
    /// Open and without work.
    pub idle: u32,
    /// The most that may be open.
    pub max: u32,
    /// Requests that wait in the queues of the batches.
    pub queued: u32,
}

/// A database of todos. Every method is one transaction: what it has answered is kept, what it has rejected
/// left nothing.
///
/// Methods that take a collection answer [`Error::ListNotFound`] when the owner has no such list. Those that
/// take one todo answer [`Error::TodoNotFound`] then.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes a todo. With a key, makes it once and answers repetitions from memory for a day.
    async fn create_todo(
        &self,
        collection: &Collection,
        new: NewTodo,
        key: Option<IdempotencyKey>,
    ) -> Result<Created>;
    /// One todo.
    async fn todo(&self, place: &TodoPlace) -> Result<Todo>;
    /// A page of todos.
    async fn todos(&self, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>>;
    /// Changes a todo if the condition holds.
    async fn update_todo(
        &self,
        place: &TodoPlace,
        patch: TodoPatch,
        precondition: Precondition,
    ) -> Result<Todo>;
    /// Deletes a todo if the condition holds.
    async fn delete_todo(&self, place: &TodoPlace, precondition: Precondition) -> Result<()>;
    /// Deletes all todos of a collection that match; says how many.
    async fn delete_todos(&self, collection: &Collection, filter: &Filter) -> Result<u64>;

    /// Makes a list.
    async fn create_list(&self, owner: &Owner, new: NewList) -> Result<List>;
    /// All lists of an owner after a number, oldest first, at most `limit`.
    async fn lists(&self, owner: &Owner, after: ListId, limit: i64) -> Result<Vec<List>>;
    /// One list.
    async fn list(&self, owner: &Owner, id: ListId) -> Result<List>;
    /// Deletes a list with its todos.
    async fn delete_list(&self, owner: &Owner, id: ListId) -> Result<()>;

    /// Forgets idempotency keys that have expired; says how many.
    async fn forget_expired_keys(&self) -> Result<u64>;
    /// Brings the schema to this version's; other processes that do so meanwhile wait for each other.
    async fn migrate(&self) -> Result<SchemaVersion>;
    /// How far the schema is. Reaches the database, so it is also the check whether it answers.
    async fn schema_version(&self) -> Result<SchemaVersion>;
    /// The connections now.
    fn pool_state(&self) -> PoolState;
    /// Ends all connections once their work is done.
    async fn close(&self);
}
