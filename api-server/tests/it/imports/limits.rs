//! An import that is larger than it may be.

use std::time::Duration;

use serde_json::json;
use todostack_api::Settings;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{import, numbered};
use crate::service::{On, Service};

#[tokio::test]
async fn an_import_that_is_too_large_is_cut_at_the_limit() {
    let settings = Settings { max_import_bytes: Some(200_000), ..Settings::default() };
    let service = Service::start_with(On::Sqlite, settings).await;
    let client = &service.client;
    let reply = import(client, "/todos/import", "k1", numbered(1..20_000)).await;
    assert_eq!(reply.problem(), (413, "body-too-large".to_owned()));
    assert_eq!(client.get("/todos").await.json(), json!([]), "its size was known");
    let too_long = format!("{}\n{{\"title\":\"{}\"}}", numbered(1..3), "a".repeat(70_000));
    let reply = import(client, "/todos/import", "k2", too_long).await;
    let errors = json!([{"line": 4, "pointer": "", "detail": "must have at most 65536 bytes"}]);
    assert_eq!((reply.status.as_u16(), &reply.json()["errors"]), (422, &errors));
    assert_eq!(client.titles("/todos").await, ["1", "2"]);
    // Chunks without an end: the service reads no more than the limit before it answers.
    let mut connection = TcpStream::connect(client.base.trim_start_matches("http://")).await.unwrap();
    let head = "POST /todos/import HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-ndjson\r\n\
                idempotency-key: k3\r\ntransfer-encoding: chunked\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = connection.split();
    let chunk = numbered(10_000..11_000);
    let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len());
    let send = async {
        // It fails when the service has closed the connection.
        while writer.write_all(chunk.as_bytes()).await.is_ok() {}
        std::future::pending::<()>().await;
    };
    let mut response = [0; 12];
    let answered = async {
        tokio::select! {
            () = send => {}
            read = reader.read_exact(&mut response) => drop(read.unwrap()),
        }
    };
    timeout(Duration::from_secs(20), answered).await.expect("it is answered");
    assert_eq!(&response, b"HTTP/1.1 413");
    let stored = client.titles("/todos").await.len();
    assert!((1_000..200_000 / 17).contains(&stored), "{stored}");
}
