//! Todos kept in Postgres. One file per kind of statement; all SQL for Postgres is in this crate and checked by the compiler.

mod connect;
mod errors;
mod idempotency;
mod insert;
mod lists;
mod page;
mod pool;
mod read;
mod schema;
mod write;

use async_trait::async_trait;
pub use sqlx::postgres::PgConnectOptions;
use sqlx::types::Json;
use todostack_store::{
    Collection, Created, Filter, IdempotencyKey, List, ListId, NewList, NewTodo, Owner, PoolState,
    Precondition, Result, SchemaVersion, Store, Todo, TodoPatch, TodoPlace, TodoQuery,
    sql::{Batcher, BatcherLimits},
};

use tokio::sync::Mutex;

use crate::{
    connect::{Connector, LastingConnection},
    insert::InsertLane,
    pool::Pool,
    read::ReadLane,
};

/// A row of `todos` as Postgres gives it.
type TodoRow = todostack_store::sql::TodoRow<Json<Vec<String>>, i16>;

/// Beyond some hundred rows a larger batch saves nothing more.
const LIMITS: BatcherLimits = BatcherLimits { queue: 1_024, batch: 128 };

/// The store in Postgres: a pool for single statements, and connections of their own for what is batched and for health,
/// which must not wait for the pool.
#[derive(Debug)]
pub struct PostgresStore {
    connector: Connector,
    pool: Pool,
    health: Mutex<LastingConnection>,
    reads: Batcher<ReadLane>,
    inserts: Batcher<InsertLane>,
}

impl PostgresStore {
    /// The number of connections outside the pool.
    pub const BESIDE_THE_POOL: u32 = 3;

    /// How many connections one replica may have: an eighth of what the server grants, so that three replicas, those that
    /// replace them in a rollout, and a person with psql fit; within 6 and 16, since more gain nothing.
    pub async fn fair_share(options: PgConnectOptions) -> Result<u32> {
        Ok((Connector::new(options).granted().await? / 8).clamp(6, 16))
    }

    /// Prepares the store; connects only when first asked, so that a database that is away is no error here. Batches run on the
    /// current runtime.
    #[must_use]
    pub fn new(options: PgConnectOptions, pool_size: u32) -> Self {
        let connector = Connector::new(options);
        Self {
            pool: Pool::new(connector.clone(), pool_size),
            health: Mutex::new(connector.lasting()),
            reads: Batcher::start(ReadLane::new(connector.lasting_for_batches()), LIMITS),
            inserts: Batcher::start(InsertLane::new(connector.lasting_for_batches()), LIMITS),
            connector,
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn create_todo(
        &self,
        collection: &Collection,
        new: NewTodo,
        key: Option<IdempotencyKey>,
    ) -> Result<Created> {
        match key {
            None => {
                let todo = self.inserts.run((collection.clone(), new)).await?;
                Ok(Created { todo, replayed: false })
            }
            Some(key) => {
                self.pool.run(async |c| idempotency::create_once(c, collection, new, key).await).await
            }
        }
    }

    async fn todo(&self, place: &TodoPlace) -> Result<Todo> {
        self.reads.run(place.clone()).await
    }

    async fn todos(&self, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>> {
        self.pool.run(async |c| page::select(c, collection, query).await).await
    }

    async fn update_todo(
        &self,
        place: &TodoPlace,
        patch: TodoPatch,
        precondition: Precondition,
    ) -> Result<Todo> {
        self.pool.run(async |c| write::update(c, place, patch, &precondition).await).await
    }

    async fn delete_todo(&self, place: &TodoPlace, precondition: Precondition) -> Result<()> {
        self.pool.run(async |c| write::delete(c, place, &precondition).await).await
    }

    async fn delete_todos(&self, collection: &Collection, filter: &Filter) -> Result<u64> {
        self.pool.run(async |c| write::delete_all(c, collection, filter).await).await
    }

    async fn create_list(&self, owner: &Owner, new: NewList) -> Result<List> {
        self.pool.run(async |c| lists::insert(c, owner, &new).await).await
    }

    async fn lists(&self, owner: &Owner, after: ListId, limit: i64) -> Result<Vec<List>> {
        self.pool.run(async |c| lists::select(c, owner, after, limit).await).await
    }

    async fn list(&self, owner: &Owner, id: ListId) -> Result<List> {
        self.pool.run(async |c| lists::select_one(c, owner, id).await).await
    }

    async fn delete_list(&self, owner: &Owner, id: ListId) -> Result<()> {
        self.pool.run(async |c| lists::delete(c, owner, id).await).await
    }

    async fn forget_expired_keys(&self) -> Result<u64> {
        self.pool.run(async |c| idempotency::forget_expired(c).await).await
    }

    async fn migrate(&self) -> Result<SchemaVersion> {
        // Says why, where the pool would only say that it waited in vain.
        self.connector.probe().await?;
        let pool = self.connector.patient();
        let version = schema::migrate(&pool).await;
        pool.close().await;
        version
    }

    async fn schema_version(&self) -> Result<SchemaVersion> {
        schema::version(&mut *self.health.lock().await).await
    }

    fn pool_state(&self) -> PoolState {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let idle = self.pool.open_and_idle();
        PoolState {
            open: number(idle.saturating_add(self.pool.lent())),
            idle: number(idle),
            max: number(self.pool.size()),
            queued: number(self.reads.queued().saturating_add(self.inserts.queued())),
        }
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
