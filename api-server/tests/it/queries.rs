//! Every checked query against the schema that the migrations make: those of this version, and those of the versions before, which
//! still serve while this version's migrations have run (expand, then contract).
//!
//! `.sqlx/` is what the compiler believes of the queries. `released/<migration>/` are the queries as they were while that migration was
//! the newest: `prepare` keeps the newest folder like `.sqlx/`, and leaves the others as they are. With the one migration that there
//! is, the folder holds this version's queries; the next migration freezes them, and must not break them.

mod databases;

use std::{collections::BTreeMap, path::PathBuf};

use rstest::rstest;
use serde_json::Value;

use self::databases::{Database, Postgres, Sqlite};

const STORES: [&str; 2] = ["store-postgres", "store-sqlite"];

fn folder(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn names(path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The numbers of a store's migrations, oldest first.
fn migrations(store: &str) -> Vec<String> {
    let files = names(&format!("{store}/migrations"));
    files.iter().map(|file| file.split('_').next().unwrap().to_owned()).collect()
}

/// A query, and what it was when it was last prepared.
struct Query {
    text: String,
    believed: Value,
}

fn queries(path: &str) -> Vec<Query> {
    let read = |name: &String| {
        let file = std::fs::read(folder(path).join(name)).unwrap();
        let mut file: Value = serde_json::from_slice(&file).unwrap();
        Query { text: file["query"].as_str().unwrap().to_owned(), believed: file["describe"].take() }
    };
    let queries: Vec<_> = names(path).iter().map(read).collect();
    assert!(queries.len() > 10, "{path} has {} queries only", queries.len());
    queries
}

/// All queries that ever were, of this version and those before.
fn all_queries(store: &str) -> Vec<Query> {
    let kept = names(&format!("{store}/released"));
    assert!(!kept.is_empty(), "{store} keeps no queries");
    let kept = kept.iter().flat_map(|version| queries(&format!("{store}/released/{version}")));
    queries(&format!("{store}/.sqlx")).into_iter().chain(kept).collect()
}

/// What is wrong with the queries on the database as it is now: what they take and give, and whether they can be carried out.
async fn broken(database: &mut impl Database, queries: &[Query]) -> Vec<String> {
    let mut broken = Vec::new();
    for Query { text, believed } in queries {
        match database.describe(text).await {
            Ok(described) if described != *believed => broken.push(format!("{text}\nis now {described}")),
            Ok(_) => {}
            Err(error) => broken.push(format!("{text}\n{error}")),
        }
        if let Err(error) = database.carry_out(text, believed).await {
            broken.push(format!("{text}\ncannot be carried out: {error}"));
        }
    }
    broken
}

#[track_caller]
fn assert_none(broken: &[String]) {
    assert!(
        broken.is_empty(),
        "run api-server/prepare, or keep what the versions before use:\n{}",
        broken.join("\n")
    );
}

#[tokio::test]
async fn queries_mean_on_postgres_what_the_compiler_was_told() {
    assert_none(&broken(&mut Postgres::migrated().await, &all_queries("store-postgres")).await);
}

#[tokio::test]
async fn queries_mean_on_sqlite_what_the_compiler_was_told() {
    assert_none(&broken(&mut Sqlite::migrated().await, &all_queries("store-sqlite")).await);
}

#[test]
fn the_queries_of_the_migration_before_are_kept_and_those_of_the_newest_are_of_today() {
    let contents = |path: &str| -> BTreeMap<String, Vec<u8>> {
        let read = |name: String| (name.clone(), std::fs::read(folder(path).join(name)).unwrap());
        names(path).into_iter().map(read).collect()
    };
    for store in STORES {
        let migrations = migrations(store);
        let (newest, before) = migrations.split_last().unwrap();
        let kept = names(&format!("{store}/released"));
        if let Some(before) = before.last() {
            assert!(
                kept.contains(before),
                "{store}/released/{before} is missing: the versions before still serve"
            );
        }
        assert!(
            contents(&format!("{store}/released/{newest}")) == contents(&format!("{store}/.sqlx")),
            "run api-server/prepare: {store}/released/{newest} is not {store}/.sqlx"
        );
    }
    assert_eq!(migrations(STORES[0]), migrations(STORES[1]), "both databases have the same migrations");
}

/// All texts between quotes in a store's sources: what its queries are written as, whole or in pieces.
fn literals(store: &str) -> Vec<String> {
    let mut literals = Vec::new();
    for file in names(&format!("{store}/src")) {
        let source = std::fs::read_to_string(folder(&format!("{store}/src/{file}"))).unwrap();
        let code: String =
            source.split_inclusive('\n').filter(|line| !line.trim().starts_with("//")).collect();
        let mut parts = code.split("r#\"");
        let mut plain = parts.next().unwrap().to_owned();
        for part in parts {
            let (raw, after) = part.split_once("\"#").unwrap();
            literals.push(raw.to_owned());
            plain.push_str(after);
        }
        literals.extend(plain.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    literals.retain(|literal| !literal.is_empty());
    literals
}

fn is_made_of(literals: &[String], query: &str) -> bool {
    let rest = |literal: &String| query.strip_prefix(literal.as_str());
    query.is_empty() || literals.iter().filter_map(rest).any(|rest| is_made_of(literals, rest))
}

#[test]
fn every_kept_query_still_stands_in_the_sources() {
    for store in STORES {
        let literals = literals(store);
        let orphans = queries(&format!("{store}/.sqlx"));
        let orphans = orphans.iter().filter(|query| !is_made_of(&literals, &query.text));
        let orphans: Vec<_> = orphans.map(|query| &query.text).collect();
        assert!(
            orphans.is_empty(),
            "run api-server/prepare: nobody asks {store} this any more: {orphans:#?}"
        );
        assert!(!is_made_of(&literals, "select title from todos"), "this test can fail");
    }
}

/// Without this, nobody would know that the tests above can fail.
async fn assert_breaks(mut database: impl Database, store: &str, change: &str) {
    let queries = all_queries(store);
    assert_none(&broken(&mut database, &queries).await);
    database.change(change).await;
    assert!(!broken(&mut database, &queries).await.is_empty(), "nobody noticed: {change}");
}

async fn assert_breaks_nothing(mut database: impl Database, store: &str, change: &str) {
    let queries = all_queries(store);
    database.change(change).await;
    assert_none(&broken(&mut database, &queries).await);
}

#[rstest]
#[case::drops_a_column("alter table todos drop column priority")]
#[case::renames_a_column("alter table todos rename column position to place")]
#[case::drops_a_table("drop table idempotency_keys")]
#[case::changes_a_type("alter table todos alter column priority type text using priority::text")]
#[case::lets_a_value_be_absent("alter table lists alter column name drop not null")]
#[case::wants_a_value_that_the_old_version_does_not_write(
    "alter table todos add column colour text not null default 'red'; alter table todos alter column colour drop default"
)]
#[case::allows_less("alter table todos add constraint short check (title <> 'x') not valid")]
#[tokio::test]
async fn a_migration_that_breaks_the_version_before_is_noticed_on_postgres(#[case] change: &str) {
    assert_breaks(Postgres::migrated().await, "store-postgres", change).await;
}

#[rstest]
#[case::drops_a_column("alter table todos drop column priority")]
#[case::renames_a_column("alter table todos rename column position to place")]
#[case::drops_a_table("drop table idempotency_keys")]
#[case::wants_a_value_that_the_old_version_does_not_write(
    "alter table todos add column colour text;
     create trigger colour before insert on todos when new.colour is null begin select raise(abort, 'no colour'); end"
)]
#[tokio::test]
async fn a_migration_that_breaks_the_version_before_is_noticed_on_sqlite(#[case] change: &str) {
    assert_breaks(Sqlite::migrated().await, "store-sqlite", change).await;
}

#[rstest]
#[case::a_column("alter table todos add column colour text")]
#[case::a_column_with_a_default("alter table todos add column colour text not null default 'red'")]
#[case::a_table("create table colours (name text)")]
#[case::an_index("create index todos_by_title on todos (title)")]
#[tokio::test]
async fn a_migration_that_only_adds_breaks_nothing(#[case] change: &str) {
    assert_breaks_nothing(Postgres::migrated().await, "store-postgres", change).await;
    assert_breaks_nothing(Sqlite::migrated().await, "store-sqlite", change).await;
}
