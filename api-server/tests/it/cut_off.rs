//! A list that is written while it is read, of which the rest cannot be read.

use std::sync::Arc;

use http::StatusCode;
use http_body_util::BodyExt as _;
use sqlx::{Connection as _, PgConnection};

use crate::service::{On, Service};

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_breaks_off_and_the_log_says_why() {
    let service = Service::start(On::Postgres).await;
    let mut database = PgConnection::connect_with(&service.postgres()).await.unwrap();
    // Twelve pages of 2 MB: the sockets hold 10 MB at most, so that the last pages are not read before the first were taken.
    let todos = "insert into todos (owner, title, completed, tags)
                 select '', repeat('a', 1000), false, jsonb_agg(repeat('a', 50) || tag)
                 from generate_series(1, 12000) todo, generate_series(1, 20) tag group by todo";
    sqlx::query(todos).execute(&mut database).await.unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(log.reopen().unwrap())).finish();
    // The service runs on this thread.
    let _log_of_this_thread = tracing::subscriber::set_default(subscriber);

    let mut response = service.client.begin("/todos").await;
    assert_eq!(response.status(), StatusCode::OK);
    let first = response.frame().await.expect("it has a body").unwrap();
    assert!(first.into_data().unwrap().starts_with(b"[{\"id\":1,"));
    sqlx::query("alter table todos rename to gone").execute(&mut database).await.unwrap();
    let rest = response.into_body().collect().await;
    assert!(rest.is_err(), "a part was given for the whole");
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("ERROR") && log.contains("Failed to read the next page of a response"), "{log}");
    assert!(log.contains("does not exist"), "{log}");
}
