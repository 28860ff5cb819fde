//! [`Store`] for a SQLite file: a file per kind of statement. All SQL for SQLite is here, and checked by the
//! compiler.

/// A query of all columns of `todos`, with the types that SQLite does not know.
macro_rules! query_todos {
    ($before:literal, $($after:literal)+, $($value:expr),+) => {
        sqlx::query_as!(
            crate::TodoRow,
            $before + r#"
                id as "id!", owner as "owner!", list_id, title as "title!", completed as "completed!: bool",
                position, due_date as "due_date: chrono::NaiveDate",
                tags as "tags!: sqlx::types::Json<Vec<String>>", priority, version as "version!",
                created_at as "created_at!: chrono::DateTime<chrono::Utc>",
                updated_at as "updated_at!: chrono::DateTime<chrono::Utc>"
                "# $(+ $after)+,
            $($value),+
        )
    };
}

/// A query of all columns of `lists`, with the types that SQLite does not know.
macro_rules! query_lists {
    ($before:literal, $($after:literal)+, $($value:expr),+) => {
        sqlx::query_as!(
            todostack_store::sql::ListRow,
            $before + r#"
                id as "id!", name as "name!", position, version as "version!",
                created_at as "created_at!: chrono::DateTime<chrono::Utc>",
                updated_at as "updated_at: chrono::DateTime<chrono::Utc>"
                "# $(+ $after)+,
            $($value),+
        )
    };
}

/// Selects by the query of a sort: `$select` takes the condition of rows after the cursor, which is (?2, ?3),
/// and the order. `order by` cannot be a parameter.
macro_rules! in_order {
    ($sort:expr, $select:ident) => {{
        // `9223372036854775807` is `Cursor::NO_ORDER`.
        const { assert!(Cursor::NO_ORDER == 9_223_372_036_854_775_807) };
        match $sort {
            Sort::Created => $select!("id > ?3", "id"),
            Sort::CreatedDescending => $select!("id < ?3", "id desc"),
            Sort::Order => $select!(
                "(coalesce(position, 9223372036854775807), id) > (?2, ?3)",
                "coalesce(position, 9223372036854775807), id"
            ),
            Sort::OrderDescending => $select!(
                "(coalesce(position, 9223372036854775807), id) < (?2, ?3)",
                "coalesce(position, 9223372036854775807) desc, id desc"
            ),
        }
    }};
}

mod changes;
mod idempotency;
mod lists;
mod read;
mod write;
mod writer;

use std::{
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use futures::FutureExt;
pub use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    ConnectOptions, Connection, SqlitePool,
    sqlite::{SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    types::Json,
};
use todostack_store::{
    Change, Collection, Created, Error, Filter, IdempotencyKey, ImportProgress, ImportStep, List, ListId,
    ListPatch, ListPlace, NewList, NewTodo, Owner, Page, PoolState, Position, Precondition, Result,
    SchemaVersion, Store, Todo, TodoPatch, TodoPlace, TodoQuery, sql::Schema,
};

use crate::{changes::Log, writer::Writer};

/// A row of `todos` as SQLite returns it.
type TodoRow = todostack_store::sql::TodoRow<Json<Vec<String>>, i64>;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new(sqlx::migrate!()));

/// In WAL mode, readers do not wait for the writer. More readers than cores are not faster.
const READERS: u32 = 4;

/// The store in a file: one writer, since SQLite allows only one at a time, and some readers.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    log: Arc<Log>,
    options: SqliteConnectOptions,
}

impl SqliteStore {
    /// The file is created with the first write.
    pub fn new(options: SqliteConnectOptions) -> Self {
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With NORMAL, a power failure could lose acknowledged commits.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let log = Arc::new(Log::default());
        Self {
            readers: SqlitePoolOptions::new()
                .max_connections(READERS)
                .acquire_timeout(Duration::from_secs(3))
                .test_before_acquire(false)
                .connect_lazy_with(options.clone().pragma("query_only", "on")),
            writer: Writer::start(options.clone(), Arc::clone(&log)),
            log,
            options,
        }
    }

    /// Copies the file as it is now to another one, which must not exist, while others read and write it.
    ///
    /// # Errors
    /// The file cannot be read, or the copy cannot be written.
    pub async fn copy(options: SqliteConnectOptions, to: &Path) -> Result<()> {
        let options = options.create_if_missing(false).busy_timeout(Duration::from_secs(5));
        let mut connection = options.disable_statement_logging().connect().await?;
        let to = to.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO ?").bind(to).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_todo(
        &self,
        collection: &Collection,
        new: NewTodo,
        key: Option<IdempotencyKey>,
    ) -> Result<Created<Todo>> {
        let new = (collection.clone(), new);
        self.writer
            .run(move |c| async move { idempotency::create(c, new, key, write::insert).await }.boxed())
            .await
    }

    async fn todo(&self, place: &TodoPlace) -> Result<Todo> {
        read::one(&self.readers, place).await
    }

    async fn todos(&self, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>> {
        read::page(&self.readers, collection, query).await
    }

    async fn update_todo(&self, place: &TodoPlace, patch: TodoPatch, if_match: Precondition) -> Result<Todo> {
        let place = place.clone();
        self.writer
            .run(move |c| async move { write::update(c, &place, patch, &if_match).await }.boxed())
            .await
    }

    async fn delete_todo(&self, place: &TodoPlace, if_match: Precondition) -> Result<()> {
        let place = place.clone();
        self.writer.run(move |c| async move { write::delete(c, &place, &if_match).await }.boxed()).await
    }

    async fn delete_todos(&self, collection: &Collection, filter: &Filter) -> Result<u64> {
        let (collection, filter) = (collection.clone(), filter.clone());
        self.writer
            .run(move |c| async move { write::delete_all(c, &collection, &filter).await }.boxed())
            .await
    }

    async fn import_progress(&self, collection: &Collection, key: &str) -> Result<Option<ImportProgress>> {
        let (collection, key) = (collection.clone(), key.to_owned());
        self.writer
            .run(move |c| async move { idempotency::import_progress(c, &collection, &key).await }.boxed())
            .await
    }

    async fn import_todos(&self, collection: &Collection, new: Vec<NewTodo>, step: ImportStep) -> Result<()> {
        let collection = collection.clone();
        self.writer
            .run(move |c| async move { idempotency::import(c, &collection, new, step).await }.boxed())
            .await
    }

    async fn create_list(
        &self,
        owner: &Owner,
        new: NewList,
        key: Option<IdempotencyKey>,
    ) -> Result<Created<List>> {
        let new = (owner.clone(), new);
        self.writer
            .run(move |c| async move { idempotency::create(c, new, key, lists::insert).await }.boxed())
            .await
    }

    async fn lists(&self, owner: &Owner, page: Page) -> Result<Vec<List>> {
        Ok(lists::select(&self.readers, owner, page).await?)
    }

    async fn list(&self, owner: &Owner, id: ListId) -> Result<List> {
        lists::select_one(&self.readers, owner, id).await
    }

    async fn update_list(&self, place: &ListPlace, patch: ListPatch, if_match: Precondition) -> Result<List> {
        let place = place.clone();
        self.writer
            .run(move |c| async move { lists::update(c, &place, patch, &if_match).await }.boxed())
            .await
    }

    async fn delete_list(&self, place: &ListPlace, if_match: Precondition) -> Result<()> {
        let place = place.clone();
        self.writer.run(move |c| async move { lists::delete(c, &place, &if_match).await }.boxed()).await
    }

    async fn end_of_log(&self) -> Result<Position> {
        self.log.end(&self.readers).await
    }

    async fn changes(
        &self,
        owner: Option<&Owner>,
        after: Position,
        limit: i64,
    ) -> Result<Option<Vec<Change>>> {
        Ok(self.log.select(owner, after, limit))
    }

    async fn changed(&self, _: Duration) {
        self.log.changed().await;
    }

    async fn delete_old_changes(&self) -> Result<u64> {
        // Those that are too many were deleted when others were logged.
        Ok(0)
    }

    async fn delete_expired_keys(&self) -> Result<u64> {
        self.writer.run(move |c| async move { Ok(idempotency::delete_expired(c).await?) }.boxed()).await
    }

    async fn migrate(&self) -> Result<SchemaVersion> {
        let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(self.options.clone());
        let version = async {
            SCHEMA.migrate(&pool).await?;
            SCHEMA.version(Ok(sqlx::query_scalar(Schema::FOUND).fetch_one(&pool).await?))
        };
        let version = version.await;
        pool.close().await;
        version
    }

    async fn schema_version(&self) -> Result<SchemaVersion> {
        let found = sqlx::query_scalar(Schema::FOUND).fetch_one(&self.readers).await;
        SCHEMA.version(found.map_err(Error::from))
    }

    fn pool_state(&self) -> PoolState {
        PoolState {
            open: self.readers.size().saturating_add(1),
            idle: u32::try_from(self.readers.num_idle()).unwrap_or(u32::MAX),
            max: READERS.saturating_add(1),
            queued: u32::try_from(self.writer.queued()).unwrap_or(u32::MAX),
        }
    }

    async fn close(&self) {
        self.readers.close().await;
    }
}
