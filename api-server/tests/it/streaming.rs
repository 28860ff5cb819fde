//! A collection that is streamed while it is read. How todos are filtered and sorted is in `todos`.

use std::sync::Arc;

use http::StatusCode;
use http_body_util::BodyExt as _;

use crate::service::{On, Service};

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_is_aborted_and_the_error_is_logged() {
    let service = Service::start(On::Postgres).await;
    let mut database = service.postgres().await;
    // Twelve pages of 2 MB: the sockets buffer at most 10 MB, so the last pages are read only after the
    // client has received the first ones.
    let todos = "insert into todos (owner, title, completed, tags)
                 select '', repeat('a', 1000), false, jsonb_agg(repeat('a', 50) || tag)
                 from generate_series(1, 12000) todo, generate_series(1, 20) tag group by todo";
    sqlx::query(todos).execute(&mut database).await.unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(log.reopen().unwrap())).finish();
    // The service runs on this thread.
    let _log_of_this_thread = tracing::subscriber::set_default(subscriber);

    let mut response = service.client.get_head("/todos").await;
    assert_eq!(response.status(), StatusCode::OK);
    let first = response.frame().await.expect("it has a body").unwrap();
    assert!(first.into_data().unwrap().starts_with(b"[{\"id\":1,"));
    sqlx::query("alter table todos rename to gone").execute(&mut database).await.unwrap();
    let rest = response.into_body().collect().await;
    assert!(rest.is_err(), "a part of the list looked like the whole");
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("ERROR") && log.contains("Failed to read the next page of a response"), "{log}");
    assert!(log.contains("does not exist"), "{log}");
}
