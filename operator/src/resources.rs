//! The rooms: one file a child object, each with a pure `build`. What is written, and when, is `build.rs`'s and
//! `apply.rs`'s matter.

pub mod api_deployment;
pub mod api_ingress;
pub mod api_service;
pub mod login_secret;
pub mod migration_job;
mod pod;
pub mod postgres_claim;
pub mod postgres_service;
pub mod postgres_stateful_set;
pub mod postgres_volume;
pub mod service_account;
pub mod sqlite_claim;
