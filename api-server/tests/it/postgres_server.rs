//! A Postgres server of one test, which may fail. How it is started and killed is in `dev-postgres/`.

use std::path::Path;

use sqlx::{Connection as _, PgConnection};
use todostack_dev_postgres::{Options, Postgres};
use todostack_store_postgres::PgConnectOptions;

/// With the defaults of Postgres: what it has acknowledged must survive.
pub struct PostgresServer(Postgres);

impl PostgresServer {
    pub fn start(options: &Options) -> Self {
        Self(Postgres::start(options).unwrap())
    }

    pub fn options(&self) -> PgConnectOptions {
        self.0.url().parse().unwrap()
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options()).await.unwrap()
    }

    /// Creates a database with all tables in `folder`, which may be on another disk.
    pub async fn database_in(&self, folder: &Path) -> PgConnectOptions {
        self.0.give_folder(folder).unwrap();
        let mut connection = self.connect().await;
        let tablespace = format!("create tablespace elsewhere location '{}'", folder.display());
        for statement in [&*tablespace, "create database elsewhere tablespace elsewhere"] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
        self.options().database("elsewhere")
    }

    /// Returns whether the server was running.
    pub fn kill(&self) -> bool {
        self.0.kill().unwrap()
    }

    pub fn restart(&self) {
        self.0.restart().unwrap();
    }
}
