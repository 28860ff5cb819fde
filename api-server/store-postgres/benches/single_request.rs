//! What batching costs a single request: the store, and the same statements over a pool of sqlx, both on one
//! thread, as in the service. No HTTP. Needs an empty database in DATABASE_URL; prints medians and ratios.

use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgPool, postgres::PgPoolOptions, types::Json};
use todostack_store::{Collection, NewTodo, Store as _, Tags, Title, TodoPlace};
use todostack_store_postgres::PostgresStore;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 20;
const REQUESTS_A_ROUND: usize = 250;

const COLUMNS: &str = "id, owner, list_id, title, completed, position, due_date, tags, priority, version, \
                       created_at, updated_at";
type Row = (
    i64,
    String,
    Option<i64>,
    String,
    bool,
    Option<i64>,
    Option<NaiveDate>,
    Json<Vec<String>>,
    Option<i16>,
    i64,
    DateTime<Utc>,
    DateTime<Utc>,
);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to an empty Postgres database")?;
    let store = PostgresStore::new(url.parse()?, 1);
    store.migrate().await?;
    // The store does not ping a connection that was used just now either.
    let plain = PgPoolOptions::new().max_connections(4).test_before_acquire(false).connect(&url).await?;
    compare(store, plain).await
}

async fn compare(store: PostgresStore, plain: PgPool) -> Result<()> {
    let default_list = Collection { owner: "".into(), list: None };
    let place = TodoPlace {
        id: store.create_todo(&default_list, todo()?, None).await?.stored.id,
        collection: default_list.clone(),
    };
    let select = format!("select {COLUMNS} from todos where id = $1 and owner = $2");
    let insert = format!(
        "insert into todos (owner, title, completed, tags) values ($1, $2, false, $3) returning {COLUMNS}"
    );
    let mut reads = Times::default();
    let mut writes = Times::default();
    for _ in 0..ROUNDS {
        time(&mut reads.batched, async || Ok(store.todo(&place).await.map(drop)?)).await?;
        time(&mut reads.plain, async || {
            let query = sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(select.as_str()));
            Ok(query.bind(place.id).bind("").fetch_one(&plain).await.map(drop)?)
        })
        .await?;
        time(&mut writes.batched, async || {
            Ok(store.create_todo(&default_list, todo()?, None).await.map(drop)?)
        })
        .await?;
        time(&mut writes.plain, async || {
            let query = sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(insert.as_str()));
            Ok(query.bind("").bind(TITLE).bind(Json(["shop"])).fetch_one(&plain).await.map(drop)?)
        })
        .await?;
    }
    reads.report("read by id");
    writes.report("insert");
    Ok(())
}

async fn time(times: &mut Vec<Duration>, request: impl AsyncFn() -> Result<()>) -> Result<()> {
    for _ in 0..REQUESTS_A_ROUND {
        let start = Instant::now();
        request().await?;
        times.push(start.elapsed());
    }
    Ok(())
}

const TITLE: &str = "buy a pound of green tea";

fn todo() -> Result<NewTodo> {
    let invalid = |todostack_store::Invalid(why)| why;
    Ok(NewTodo {
        title: Title::new(TITLE.to_owned()).map_err(invalid)?,
        completed: false,
        order: None,
        due_date: None,
        tags: Tags::new(vec!["shop".to_owned()]).map_err(invalid)?,
        priority: None,
    })
}

#[derive(Default)]
struct Times {
    batched: Vec<Duration>,
    plain: Vec<Duration>,
}

impl Times {
    fn report(self, what: &str) {
        let (batched, plain) = (median(self.batched), median(self.plain));
        let ratio = batched.as_secs_f64() / plain.as_secs_f64();
        println!(
            "{what}: batched {} µs, plain {} µs: {ratio:.2} times",
            batched.as_micros(),
            plain.as_micros()
        );
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
