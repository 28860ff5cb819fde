//! A Postgres server of one test, which may fail. How it is started and killed is in `dev-postgres/`.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use sqlx::{Connection as _, PgConnection};
use todostack_dev_postgres::{Options, PgBouncer, Postgres};
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

    /// A pooler in front of this server, all of whose clients become this role.
    pub fn pooler(&self, role: &str, settings: &str) -> PgBouncer {
        PgBouncer::start(&self.0, role, settings).unwrap()
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

    /// Turns TLS on. The key must belong to the server's user.
    pub async fn use_certificate(&self, folder: &Path, certificate: &Path, key: &Path) {
        for path in [folder, certificate, key] {
            self.0.give_folder(path).unwrap();
        }
        std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let mut connection = self.connect().await;
        for statement in [
            &*format!("alter system set ssl_cert_file = '{}'", certificate.display()),
            &*format!("alter system set ssl_key_file = '{}'", key.display()),
            "alter system set ssl = on",
            "select pg_reload_conf()",
        ] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
    }

    /// Returns whether the server was running.
    pub fn kill(&self) -> bool {
        self.0.kill().unwrap()
    }

    pub fn restart(&self) {
        self.0.restart().unwrap();
    }
}
