//! Every checked query against the schema that the migrations make: those of this version, and those of the release before,
//! which still serves while this version's migrations have run (expand, then contract).
//!
//! `.sqlx/` is what the compiler believes of the queries; `released/` is the `.sqlx/` of the last release, copied when it was made.

use std::{fmt::Write as _, path::Path};

use rstest::rstest;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection};
use todostack_store::Store as _;
use todostack_store_postgres::PostgresStore;
use todostack_store_sqlite::{SqliteConnectOptions, SqliteStore};

use crate::service::fresh_postgres;

/// The files of a folder: a query, and what it was when the file was written.
fn queries(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let queries: Vec<_> = entries
        .map(|entry| serde_json::from_slice::<Value>(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap())
        .map(|mut file| (file["query"].as_str().unwrap().to_owned(), file["describe"].take()))
        .collect();
    assert!(queries.len() > 10, "{} has {} queries only", folder.display(), queries.len());
    queries
}

#[track_caller]
fn assert_no_difference(differences: &str) {
    assert!(
        differences.is_empty(),
        "run api-server/prepare, or keep what the last release uses:\n{differences}"
    );
}

#[rstest]
#[case::of_this_version("store-postgres/.sqlx")]
#[case::of_the_last_release("store-postgres/released")]
#[tokio::test]
async fn queries_mean_on_postgres_what_the_compiler_was_told(#[case] folder: &str) {
    let database = fresh_postgres().await;
    PostgresStore::new(database.clone(), 1).migrate().await.unwrap();
    let mut connection = PgConnection::connect_with(&database).await.unwrap();
    let mut differences = String::new();
    for (query, believed) in queries(folder) {
        match connection.describe(AssertSqlSafe(query.clone()).into_sql_str()).await {
            Ok(described) if serde_json::to_value(&described).unwrap() == believed => {}
            Ok(described) => writeln!(differences, "{query}\nis now {described:?}").unwrap(),
            Err(error) => writeln!(differences, "{query}\n{error}").unwrap(),
        }
    }
    assert_no_difference(&differences);
}

#[rstest]
#[case::of_this_version("store-sqlite/.sqlx")]
#[case::of_the_last_release("store-sqlite/released")]
#[tokio::test]
async fn queries_mean_on_sqlite_what_the_compiler_was_told(#[case] folder: &str) {
    let file = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(file.path().join("todos.db"));
    SqliteStore::new(options.clone()).migrate().await.unwrap();
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let mut differences = String::new();
    for (query, believed) in queries(folder) {
        match connection.describe(AssertSqlSafe(query.clone()).into_sql_str()).await {
            Ok(described) if serde_json::to_value(&described).unwrap() == believed => {}
            Ok(described) => writeln!(differences, "{query}\nis now {described:?}").unwrap(),
            Err(error) => writeln!(differences, "{query}\n{error}").unwrap(),
        }
    }
    assert_no_difference(&differences);
}
