//! Managed resources: one file each, with a pure `build`. Which resources there are is in `managed.rs`.

pub mod api_deployment;
pub mod api_disruption_budget;
mod api_environment;
pub mod api_ingress;
pub mod api_service;
pub mod app_secret;
pub(crate) mod jwks_ca;
pub mod login_secret;
pub mod migration_job;
pub mod next_secret;
mod pod;
mod pod_template;
pub mod postgres_claim;
mod postgres_contract;
pub mod postgres_service;
pub mod postgres_stateful_set;
pub mod postgres_volume;
pub mod service_account;
pub mod sqlite_claim;
pub mod superuser_secret;
