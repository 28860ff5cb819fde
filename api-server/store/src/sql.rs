//! What both SQL implementations of [`Store`](crate::Store) share: batches, rows, parameters. No queries: the
//! macros of sqlx check those of one database per crate.

mod batch;
mod parameters;
mod row;

pub use batch::{Batch, Batcher, BatcherLimits};
pub use row::TodoRow;
