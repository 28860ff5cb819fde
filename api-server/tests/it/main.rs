//! Tests of the service over real HTTP, on both databases. They need `DATABASE_URL`, a Postgres server where
//! databases can be created.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::option_option,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "in tests a panic is the report, and clippy knows only functions marked as tests"
)]

mod auth;
mod bad_input;
mod batching;
mod client;
mod command;
mod compression;
mod connections;
mod cors;
mod database_failures;
mod errors;
mod etags;
mod event_stream;
mod events;
mod families;
mod fixtures;
mod idempotency;
mod imports;
mod limits;
mod lists;
mod migrate_waits;
mod openapi;
mod page;
mod poolers;
mod postgres_server;
mod probes;
mod properties;
mod server_process;
mod service;
mod small_disk;
mod startup;
mod streaming;
mod tls;
mod todobackend;
mod todos;
mod traces;
