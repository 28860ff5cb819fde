//! The pure half of the operator: what a `TodoStack` is made of, what is wrong with it, and what its status
//! says.
//!
//! ```text
//!  observed state ─► resolve ─► build ─► (apply) ─► diagnose ─► status
//!     Observed        Stack    Resources  Applied   Findings    TodoStackStatus
//! ```
//!
//! Everything here is a function of its arguments: this crate depends on no client, no runtime, no clock and
//! no source of randomness. The operator calls it with what its caches hold, the kubectl plugin with what it
//! lists, the tests with literals.

pub mod allowed;
pub mod applied;
pub mod autoscaling;
pub mod build;
pub mod conditions;
pub mod config;
pub mod credentials;
pub mod diagnose;
pub mod error_chain;
pub mod export;
pub mod finding;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod hash;
pub mod interruption;
pub mod labels;
pub mod maintenance;
pub mod managed;
pub mod names;
pub mod observed;
pub mod part;
pub mod prune;
pub mod publication;
pub mod quantity;
pub mod rbac;
pub mod reclaim;
pub mod requirements;
pub mod resolve;
pub mod resources;
pub mod stack;
pub mod stack_ref;
pub mod status;
pub mod storage_class;
pub mod stuck_pod;
pub mod transitions;
pub mod unreadable;
pub mod upgrade;
