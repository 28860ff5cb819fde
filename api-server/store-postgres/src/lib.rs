//! Todos kept in Postgres. One file per kind of statement; all SQL for Postgres is in this crate and checked by the compiler.

mod connect;
mod errors;
mod idempotency;
mod insert;
mod lists;
mod page;
mod read;
mod row;
mod schema;
mod write;

use async_trait::async_trait;
use sqlx::PgPool;
pub use sqlx::postgres::PgConnectOptions;
use todostack_store::{
    Batcher, BatcherLimits, Collection, Created, Filter, IdempotencyKey, List, ListId, NewList, NewTodo,
    Owner, PoolState, Precondition, Result, SchemaVersion, Store, Todo, TodoPatch, TodoPlace, TodoQuery,
};

use tokio::sync::Mutex;

use crate::{
    connect::{Connector, LaneConnection},
    insert::InsertLane,
    read::ReadLane,
};

/// Two, so that one batch gathers and is sent while the database works on the other; more only makes batches smaller.
const READ_LANES: usize = 2;
const INSERT_LANES: usize = 2;
/// Beyond some hundred rows a larger batch saves nothing more.
const LIMITS: BatcherLimits = BatcherLimits { queue: 1_024, batch: 128 };

/// The store in Postgres: a pool for single statements, and connections of their own for what is batched and for health,
/// which must not wait for the pool.
#[derive(Debug)]
pub struct PostgresStore {
    connector: Connector,
    pool: PgPool,
    health: Mutex<LaneConnection>,
    reads: Batcher<ReadLane>,
    inserts: Batcher<InsertLane>,
}

impl PostgresStore {
    /// The number of connections outside the pool.
    pub const BESIDE_THE_POOL: u32 = 5;

    /// How many connections one replica may have: an eighth of what the server grants, so that three replicas, those that
    /// replace them in a rollout, and a person with psql fit; within 6 and 16, since more gain nothing.
    pub async fn fair_share(options: PgConnectOptions) -> Result<u32> {
        Ok((Connector::new(options).granted().await? / 8).clamp(6, 16))
    }

    /// Prepares the store; connects only when first asked, so that a database that is away is no error here.
    #[must_use]
    pub fn new(options: PgConnectOptions, pool_size: u32) -> Self {
        let connector = Connector::new(options);
        Self {
            pool: connector.pool(pool_size),
            health: Mutex::new(connector.lane()),
            reads: Batcher::start((0..READ_LANES).map(|_| ReadLane::new(connector.lane())), LIMITS),
            inserts: Batcher::start((0..INSERT_LANES).map(|_| InsertLane::new(connector.lane())), LIMITS),
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
                let todo = self.inserts.ask((collection.clone(), new)).await?;
                Ok(Created { todo, replayed: false })
            }
            Some(key) => idempotency::create_once(&self.pool, collection, new, key).await,
        }
    }

    async fn todo(&self, place: &TodoPlace) -> Result<Todo> {
        self.reads.ask(place.clone()).await
    }

    async fn todos(&self, collection: &Collection, query: &TodoQuery) -> Result<Vec<Todo>> {
        page::select(&self.pool, collection, query).await
    }

    async fn update_todo(
        &self,
        place: &TodoPlace,
        patch: TodoPatch,
        precondition: Precondition,
    ) -> Result<Todo> {
        write::update(&self.pool, place, patch, &precondition).await
    }

    async fn delete_todo(&self, place: &TodoPlace, precondition: Precondition) -> Result<()> {
        write::delete(&self.pool, place, &precondition).await
    }

    async fn delete_todos(&self, collection: &Collection, filter: &Filter) -> Result<u64> {
        write::delete_all(&self.pool, collection, filter).await
    }

    async fn create_list(&self, owner: &Owner, new: NewList) -> Result<List> {
        lists::insert(&self.pool, owner, &new).await
    }

    async fn lists(&self, owner: &Owner, after: ListId, limit: i64) -> Result<Vec<List>> {
        lists::select(&self.pool, owner, after, limit).await
    }

    async fn list(&self, owner: &Owner, id: ListId) -> Result<List> {
        lists::select_one(&self.pool, owner, id).await
    }

    async fn delete_list(&self, owner: &Owner, id: ListId) -> Result<()> {
        lists::delete(&self.pool, owner, id).await
    }

    async fn forget_expired_keys(&self) -> Result<u64> {
        idempotency::forget_expired(&self.pool).await
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
        let queued = self.reads.queued().saturating_add(self.inserts.queued());
        PoolState {
            open: self.pool.size(),
            idle: u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX),
            max: self.pool.options().get_max_connections(),
            queued: u32::try_from(queued).unwrap_or(u32::MAX),
        }
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
