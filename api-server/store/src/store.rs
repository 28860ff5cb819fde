//! [`Store`]: what the API needs of a database. A crate per database implements it.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Change, Collection, Filter, ImportProgress, ImportStep, List, ListId, ListPatch, ListPlace, NewList,
    NewTodo, Owner, Page, Position, Precondition, Result, Todo, TodoPatch, TodoPlace, TodoQuery,
};

/// An `Idempotency-Key` and the request that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key as the client sent it.
    pub key: String,
    /// A digest of the request. The same key with another digest is rejected.
    pub fingerprint: Vec<u8>,
}

/// The todo or list that a POST created, now or when its idempotency key was first used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    /// As it was when created; later changes do not show.
    pub stored: T,
    /// Whether an earlier request created it.
    pub replayed: bool,
}

/// The schema version of the database, and the one that this release needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The number of the last migration in the database; 0 before the first.
    pub found: i64,
    /// The number of the last migration of this release.
    pub wanted: i64,
}

impl SchemaVersion {
    /// Whether this release works with the schema. A newer one is compatible with the release before it.
    pub fn serves(self) -> bool {
        self.found >= self.wanted
    }
}

/// The connections of a store, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Open connections, idle ones included.
    pub open: u32,
    /// Open connections that no request uses.
    pub idle: u32,
    /// The maximum number of open connections.
    pub max: u32,
    /// Requests that wait for a batch.
    pub queued: u32,
}

/// A database of todos. Each method is one transaction: it is durable when it returns, and a rejected one
/// changes nothing.
///
/// When the owner does not have the list, methods for a collection return `Error::ListNotFound`, methods
/// for one todo `Error::TodoNotFound`.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Creates a todo. Requests with the same key within a day create one todo, and all get it.
    async fn create_todo(
        &self,
        collection: &Collection,
        new: NewTodo,
        key: Option<IdempotencyKey>,
    ) -> Result<Created<Todo>>;
    /// Reads one todo.
    async fn todo(&self, place: &TodoPlace) -> Result<Todo>;
    /// Reads a page of todos.
    async fn todos(&self, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>>;
    /// Changes a todo if the precondition holds.
    async fn update_todo(&self, place: &TodoPlace, patch: TodoPatch, if_match: Precondition) -> Result<Todo>;
    /// Deletes a todo if the precondition holds.
    async fn delete_todo(&self, place: &TodoPlace, if_match: Precondition) -> Result<()>;
    /// Deletes all todos of a collection that match the filter. Returns their number.
    async fn delete_todos(&self, collection: &Collection, filter: &Filter) -> Result<u64>;

    /// How far the import with this key has come; `None` if it has not begun.
    async fn import_progress(&self, collection: &Collection, key: &str) -> Result<Option<ImportProgress>>;
    /// Creates the todos of the next part of an import, and stores its progress for a day. Fails with
    /// `Error::KeyInFlight` when another request has continued the import.
    async fn import_todos(&self, collection: &Collection, new: Vec<NewTodo>, step: ImportStep) -> Result<()>;

    /// Creates a list. Requests with the same key within a day create one list, and all get it.
    async fn create_list(
        &self,
        owner: &Owner,
        new: NewList,
        key: Option<IdempotencyKey>,
    ) -> Result<Created<List>>;
    /// Reads a page of the lists of an owner.
    async fn lists(&self, owner: &Owner, page: Page) -> Result<Vec<List>>;
    /// Reads one list.
    async fn list(&self, owner: &Owner, id: ListId) -> Result<List>;
    /// Changes a list if the precondition holds.
    async fn update_list(&self, place: &ListPlace, patch: ListPatch, if_match: Precondition) -> Result<List>;
    /// Deletes a list and its todos if the precondition holds.
    async fn delete_list(&self, place: &ListPlace, if_match: Precondition) -> Result<()>;

    /// The end of the log of changes: all that are committed, or are known to become so, come before it or
    /// can still be read after it.
    async fn end_of_log(&self) -> Result<Position>;
    /// Reads the changes after a position in their order, those of one owner or of all, at most `limit`.
    /// `None` when the log does not have all of them: it was lost, or they are too old.
    async fn changes(
        &self,
        owner: Option<&Owner>,
        after: Position,
        limit: i64,
    ) -> Result<Option<Vec<Change>>>;
    /// Returns when the log may have a change after those that were read. `quiet` is the time since the last
    /// one. For one reader, which reads for all.
    async fn changed(&self, quiet: Duration);
    /// Deletes the changes that are too old, or too many. Returns their number.
    async fn delete_old_changes(&self) -> Result<u64>;

    /// Deletes expired idempotency keys. Returns their number.
    async fn delete_expired_keys(&self) -> Result<u64>;
    /// Migrates the schema to the version of this release. Concurrent migrations wait for each other.
    async fn migrate(&self) -> Result<SchemaVersion>;
    /// Reads the schema version. Also shows that the database responds.
    async fn schema_version(&self) -> Result<SchemaVersion>;
    /// The current state of the connections.
    fn pool_state(&self) -> PoolState;
    /// Closes all connections after their current requests.
    async fn close(&self);
}
