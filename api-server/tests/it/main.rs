//! Tests of the service over real HTTP, on both databases. Postgres: `DATABASE_URL` names a server where databases may be made.
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
mod batching;
mod client;
mod command;
mod conditional;
mod connections;
mod contract;
mod cors;
mod cut_off;
mod errors;
mod faults;
mod idempotency;
mod limits;
mod lists;
mod openapi;
mod operations;
mod postgres_server;
mod program;
mod properties;
mod service;
mod small_disk;
mod todos;
mod traces;
