//! [`Store`] for Postgres: a file per kind of statement. All SQL for Postgres is here, and checked by the
//! compiler.

/// Selects by the query of a sort: `$select` takes the condition of rows after the cursor, which is ($2, $3),
/// and the order. `order by` cannot be a parameter.
macro_rules! in_order {
    ($sort:expr, $select:ident) => {{
        // `9223372036854775807` is `Cursor::NO_ORDER`.
        const { assert!(Cursor::NO_ORDER == 9_223_372_036_854_775_807) };
        match $sort {
            Sort::Created => $select!("id > $3::bigint", "id"),
            Sort::CreatedDescending => $select!("id < $3::bigint", "id desc"),
            Sort::Order => $select!(
                "(coalesce(position, 9223372036854775807), id) > ($2::bigint, $3::bigint)",
                "coalesce(position, 9223372036854775807), id"
            ),
            Sort::OrderDescending => $select!(
                "(coalesce(position, 9223372036854775807), id) < ($2::bigint, $3::bigint)",
                "coalesce(position, 9223372036854775807) desc, id desc"
            ),
        }
    }};
}

mod changes;
mod connect;
mod idempotency;
mod insert;
mod lists;
mod page;
mod pool;
mod read;
mod write;

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
pub use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, types::Json};
use todostack_store::{
    Change, Collection, Created, Filter, IdempotencyKey, ImportProgress, ImportStep, List, ListId, ListPatch,
    ListPlace, NewList, NewTodo, Owner, Page, PoolState, Position, Precondition, Result, SchemaVersion,
    Store, Todo, TodoPatch, TodoPlace, TodoQuery,
    sql::{Batcher, BatcherLimits, Schema},
};
use tokio::{sync::Mutex, time::sleep};

use crate::{
    connect::{Connector, ReconnectingConnection},
    insert::InsertBatch,
    pool::Pool,
    read::ReadBatch,
};

/// A row of `todos` as Postgres returns it.
type TodoRow = todostack_store::sql::TodoRow<Json<Vec<String>>, i16>;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new(sqlx::migrate!()));

/// The key of the advisory lock that a migration holds, in each database: `todo` as bytes.
const MIGRATION_LOCK: i64 = 0x746f_646f;

/// A batch of more than about a hundred rows is not faster.
const LIMITS: BatcherLimits = BatcherLimits { queue: 1_024, batch: 128 };

/// The store in Postgres: a pool for single statements, and separate connections for batches and for health
/// checks, which must not wait for the pool.
pub struct PostgresStore {
    connector: Connector,
    pool: Pool,
    health: Mutex<ReconnectingConnection>,
    reads: Batcher<ReadBatch>,
    inserts: Batcher<InsertBatch>,
    /// Those of `reads` and `inserts`.
    batched: [SharedConnection; 2],
}

/// Locked while a batch uses it.
type SharedConnection = Arc<Mutex<ReconnectingConnection>>;

impl PostgresStore {
    /// The number of connections outside of the pool.
    pub const BESIDE_THE_POOL: u32 = 3;

    /// The number of connections for one replica: an eighth of the server's limit, which leaves room for
    /// three replicas, those that replace them in a rollout, and a user with psql. Between 6 and 16; more are
    /// not faster.
    pub async fn fair_share(options: PgConnectOptions) -> Result<u32> {
        Ok((Connector::new(options).connection_limit().await? / 8).clamp(6, 16))
    }

    /// Connects with the first request, so that a database that is not available is no error here. Batches
    /// run on the current runtime.
    pub fn new(options: PgConnectOptions, pool_size: u32) -> Self {
        let connector = Connector::new(options);
        let batched = [(); 2].map(|()| Arc::new(Mutex::new(connector.connection_for_batches())));
        let [reads, inserts] = batched.clone();
        Self {
            pool: Pool::new(connector.clone(), pool_size),
            health: Mutex::new(connector.connection()),
            reads: Batcher::start(ReadBatch(reads), LIMITS),
            inserts: Batcher::start(InsertBatch(inserts), LIMITS),
            batched,
            connector,
        }
    }

    /// Opens what no request has opened yet. A replica that is ready then serves over its connections,
    /// although the server refuses further ones, as after a change of the password.
    async fn open_connections(&self) -> Result<()> {
        for connection in &self.batched {
            if let Ok(mut connection) = connection.try_lock()
                && !connection.is_open()
            {
                connection.open().await?;
            }
        }
        self.pool.open_one().await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn create_todo(
        &self,
        collection: &Collection,
        new: NewTodo,
        key: Option<IdempotencyKey>,
    ) -> Result<Created<Todo>> {
        let new = (collection.clone(), new);
        match key {
            None => Ok(Created { stored: self.inserts.run(new).await?, replayed: false }),
            Some(key) => {
                let insert = insert::insert_one;
                self.pool.run(async |c| idempotency::create_once(c, new, key, insert).await).await
            }
        }
    }

    async fn todo(&self, place: &TodoPlace) -> Result<Todo> {
        self.reads.run(place.clone()).await
    }

    async fn todos(&self, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>> {
        self.pool.run(async |c| page::select(c, collection, query).await).await
    }

    async fn update_todo(&self, place: &TodoPlace, patch: TodoPatch, if_match: Precondition) -> Result<Todo> {
        self.pool.run(async |c| write::update(c, place, patch, &if_match).await).await
    }

    async fn delete_todo(&self, place: &TodoPlace, if_match: Precondition) -> Result<()> {
        self.pool.run(async |c| write::delete(c, place, &if_match).await).await
    }

    async fn delete_todos(&self, collection: &Collection, filter: &Filter) -> Result<u64> {
        self.pool.run(async |c| write::delete_all(c, collection, filter).await).await
    }

    async fn import_progress(&self, collection: &Collection, key: &str) -> Result<Option<ImportProgress>> {
        self.pool.run(async |c| idempotency::import_progress(c, collection, key).await).await
    }

    async fn import_todos(&self, collection: &Collection, new: Vec<NewTodo>, step: ImportStep) -> Result<()> {
        self.pool.run(async |c| idempotency::import(c, collection, new, step).await).await
    }

    async fn create_list(
        &self,
        owner: &Owner,
        new: NewList,
        key: Option<IdempotencyKey>,
    ) -> Result<Created<List>> {
        let new = (owner.clone(), new);
        match key {
            None => {
                let stored = self.pool.run(async |c| lists::insert(c, new).await).await?;
                Ok(Created { stored, replayed: false })
            }
            Some(key) => {
                self.pool.run(async |c| idempotency::create_once(c, new, key, lists::insert).await).await
            }
        }
    }

    async fn lists(&self, owner: &Owner, page: Page) -> Result<Vec<List>> {
        self.pool.run(async |c| Ok(lists::select(c, owner, page).await?)).await
    }

    async fn list(&self, owner: &Owner, id: ListId) -> Result<List> {
        self.pool.run(async |c| lists::select_one(c, owner, id).await).await
    }

    async fn update_list(&self, place: &ListPlace, patch: ListPatch, if_match: Precondition) -> Result<List> {
        self.pool.run(async |c| lists::update(c, place, patch, &if_match).await).await
    }

    async fn delete_list(&self, place: &ListPlace, if_match: Precondition) -> Result<()> {
        self.pool.run(async |c| lists::delete(c, place, &if_match).await).await
    }

    async fn end_of_log(&self) -> Result<Position> {
        self.pool.run(async |c| changes::end(c).await).await
    }

    async fn changes(
        &self,
        owner: Option<&Owner>,
        after: Position,
        limit: i64,
    ) -> Result<Option<Vec<Change>>> {
        self.pool.run(async |c| changes::select(c, owner, after, limit).await).await
    }

    async fn changed(&self, quiet: Duration) {
        sleep(changes::pause(quiet)).await;
    }

    async fn delete_old_changes(&self) -> Result<u64> {
        self.pool.run(async |c| Ok(changes::delete_old(c).await?)).await
    }

    async fn delete_expired_keys(&self) -> Result<u64> {
        self.pool.run(async |c| Ok(idempotency::delete_expired(c).await?)).await
    }

    async fn migrate(&self) -> Result<SchemaVersion> {
        // Fails with the cause, where the pool would report a timeout.
        self.connector.probe().await?;
        let mut lock = self.connector.lock_connection().await?;
        let mut locked = lock.begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut *locked).await?;
        let pool = self.connector.migration_pool();
        let version = async {
            SCHEMA.migrate(&pool).await?;
            SCHEMA.version(Ok(sqlx::query_scalar(Schema::FOUND).fetch_one(&pool).await?))
        };
        let version = version.await;
        pool.close().await;
        locked.commit().await?;
        version
    }

    async fn schema_version(&self) -> Result<SchemaVersion> {
        let mut health = self.health.lock().await;
        if !health.is_open() {
            self.connector.probe().await?;
        }
        let found = health.run(async |c| Ok(sqlx::query_scalar(Schema::FOUND).fetch_one(c).await?)).await;
        let version = SCHEMA.version(found)?;
        self.open_connections().await?;
        Ok(version)
    }

    fn pool_state(&self) -> PoolState {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let idle = self.pool.idle_count();
        PoolState {
            open: number(idle.saturating_add(self.pool.in_use())),
            idle: number(idle),
            max: number(self.pool.size()),
            queued: number(self.reads.queued().saturating_add(self.inserts.queued())),
        }
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
