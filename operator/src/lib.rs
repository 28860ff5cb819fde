//! The operator, in six steps; `reconcile.rs` has them in order.
//!
//! ```text
//!            ┌─ reads ─┐┌──────── pure ────────┐┌ writes ┐┌──────── pure ────────┐┌ writes ┐
//! TodoStack ─► observe ─► resolve ─► build ─────► apply ──► diagnose ─► status ───► publish
//!              Observed    Stack     Resources    Applied   Findings    TodoStackStatus
//! ```
//!
//! Only `observe` reads, only `apply`, `cleanup` and `publish` write; all between can be called in a test with
//! literals.

pub mod apply;
pub mod args;
pub mod backoff;
pub mod build;
pub mod chain;
pub mod children;
pub mod cleanup;
pub mod conditions;
pub mod context;
pub mod controller;
pub mod crd;
pub mod credentials;
pub mod diagnose;
pub mod error;
pub mod finding;
#[cfg(test)]
mod fixtures;
pub mod hash;
pub mod http;
pub mod labels;
pub mod memory;
pub mod metrics;
pub mod names;
pub mod observe;
pub mod prune;
pub mod publish;
pub mod rbac;
pub mod reconcile;
pub mod references;
pub mod resolve;
pub mod resources;
pub mod stack;
pub mod status;
pub mod telemetry;
pub mod transitions;
pub mod watch;
