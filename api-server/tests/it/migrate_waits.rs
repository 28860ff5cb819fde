//! `todostack-api migrate` while the database is not ready for it. That it migrates is in `command.rs`.

use std::{process::Stdio, time::Duration};

use sqlx::{Connection as _, PgConnection};
use todostack_store_postgres::PgConnectOptions;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::service::fresh_postgres;

/// Longer than the pause between two attempts, and than the timeout of a lock.
const DEADLINE: Duration = Duration::from_secs(30);

/// Starts `migrate`, and returns when it waits, with the line of its log that says why.
async fn waiting(database: &PgConnectOptions) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    command
        .arg("migrate")
        .env_clear()
        .env("DATABASE_URL", sqlx::ConnectOptions::to_url_lossy(database).as_str());
    let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.expect("migrate logs that it waits").unwrap();
    // The rest is read, since a closed pipe would end the process.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (process, line.expect("migrate does not exit"))
}

async fn succeeds(mut process: Child) {
    let status = timeout(DEADLINE, process.wait()).await.expect("migrate ends").unwrap();
    assert!(status.success(), "{status}");
}

async fn execute(connection: &mut PgConnection, statement: &'static str) {
    sqlx::query(statement).execute(connection).await.unwrap();
}

#[tokio::test]
async fn until_the_role_has_the_password() {
    let database = fresh_postgres().await;
    let mut admin = PgConnection::connect_with(&database).await.unwrap();
    execute(&mut admin, "drop role if exists todostack_late").await;
    let (process, line) = waiting(&database.clone().username("todostack_late")).await;
    assert!(line.contains("the database denied access"), "{line}");
    execute(&mut admin, "create role todostack_late superuser login").await;
    succeeds(process).await;
    execute(&mut admin, "reassign owned by todostack_late to current_user").await;
    execute(&mut admin, "drop role todostack_late").await;
}

#[tokio::test]
async fn until_another_transaction_releases_its_lock() {
    let database = fresh_postgres().await;
    let mut other = PgConnection::connect_with(&database).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    execute(&mut transaction, "create table _sqlx_migrations (number int)").await;
    let (process, line) = waiting(&database).await;
    assert!(line.contains("lock timeout"), "{line}");
    transaction.rollback().await.unwrap();
    succeeds(process).await;
}
