//! How a query is looked at and carried out on each database, with made-up values, and undone.

use serde_json::Value;
use sqlx::{
    Arguments as _, AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqlSafeStr as _,
    SqliteConnection, sqlite::SqliteArguments,
};
use tempfile::TempDir;
use todostack_store::Store as _;
use todostack_store_postgres::PostgresStore;
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};

use crate::service::fresh_postgres;

/// Lists that todos of the made-up values can be in.
const POSTGRES_LIST: &str = "insert into lists (owner, name) values ('x', 'x')";
const SQLITE_LIST: &str = "insert into lists (owner, name) values ('1', 'x')";

/// One connection to a database of the newest schema.
pub trait Database {
    /// What the query takes and gives, as `prepare` writes it down.
    async fn describe(&mut self, query: &str) -> sqlx::Result<Value>;
    /// Does what the query says, and undoes it.
    async fn carry_out(&mut self, query: &str, believed: &Value) -> sqlx::Result<()>;
    /// Changes the schema.
    async fn change(&mut self, statements: &str);
}

pub struct Postgres {
    connection: PgConnection,
    /// Of the statements prepared so far, of which each has a name of its own.
    prepared: usize,
}

impl Postgres {
    pub async fn migrated() -> Self {
        let database = fresh_postgres().await;
        PostgresStore::new(database.clone(), 1).migrate().await.unwrap();
        let connection = PgConnection::connect_with(&database).await.unwrap();
        let mut this = Self { connection, prepared: 0 };
        this.change(POSTGRES_LIST).await;
        this
    }
}

impl Database for Postgres {
    async fn describe(&mut self, query: &str) -> sqlx::Result<Value> {
        let described = self.connection.describe(AssertSqlSafe(query).into_sql_str()).await?;
        Ok(serde_json::to_value(&described).unwrap())
    }

    async fn carry_out(&mut self, query: &str, believed: &Value) -> sqlx::Result<()> {
        let parameters = believed["parameters"]["Left"].as_array().unwrap();
        let values: Vec<_> = parameters.iter().map(|kind| value(kind.as_str().unwrap())).collect();
        let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        self.prepared += 1;
        let name = format!("probe_{}", self.prepared);
        let statements = format!("begin; prepare {name} as {query}; execute {name}{values}; rollback");
        let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut self.connection).await;
        if done.is_err() {
            self.change("rollback").await;
        }
        done.map(drop)
    }

    async fn change(&mut self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut self.connection).await.unwrap();
    }
}

/// A value of a type, as SQL.
fn value(kind: &str) -> String {
    if let Some(element) = kind.strip_suffix("Array") {
        return format!("array[{}]", value(element));
    }
    let (value, kind) = match kind {
        "Int8" => ("1", "bigint"),
        "Int2" => ("1", "smallint"),
        "Text" => ("x", "text"),
        "Bool" => ("true", "boolean"),
        "Date" => ("2026-01-01", "date"),
        "Timestamptz" => ("2026-01-01", "timestamptz"),
        "Bytea" => ("x", "bytea"),
        "Jsonb" => ("[]", "jsonb"),
        other => panic!("no value of type {other} has been made up yet"),
    };
    format!("'{value}'::{kind}")
}

pub struct Sqlite {
    connection: SqliteConnection,
    _file: TempDir,
}

impl Sqlite {
    pub async fn migrated() -> Self {
        let file = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(file.path().join("todos.db"));
        SqliteStore::new(options.clone()).migrate().await.unwrap();
        let connection = SqliteConnection::connect_with(&options).await.unwrap();
        let mut this = Self { connection, _file: file };
        this.change(SQLITE_LIST).await;
        this
    }

    async fn try_with(&mut self, query: &str, arguments: SqliteArguments) -> sqlx::Result<()> {
        let mut transaction = self.connection.begin().await?;
        let query = sqlx::query_with(AssertSqlSafe(query), arguments);
        query.fetch_all(&mut *transaction).await?;
        transaction.rollback().await
    }
}

impl Database for Sqlite {
    async fn describe(&mut self, query: &str) -> sqlx::Result<Value> {
        let described = self.connection.describe(AssertSqlSafe(query).into_sql_str()).await?;
        Ok(serde_json::to_value(&described).unwrap())
    }

    /// SQLite does not say what a parameter is, but takes an integer for whatever is no blob; so the query must work when one of
    /// them, or none, is a blob.
    async fn carry_out(&mut self, query: &str, believed: &Value) -> sqlx::Result<()> {
        let count = believed["parameters"]["Right"].as_u64().unwrap();
        let mut done = Ok(());
        for blob in 0..=count {
            let mut arguments = SqliteArguments::default();
            for parameter in 1..=count {
                if parameter == blob { arguments.add(b"x".as_slice()) } else { arguments.add(1_i64) }
                    .unwrap();
            }
            done = self.try_with(query, arguments).await;
            if done.is_ok() {
                break;
            }
        }
        done
    }

    async fn change(&mut self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut self.connection).await.unwrap();
    }
}
