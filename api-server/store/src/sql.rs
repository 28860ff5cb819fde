//! What both SQL implementations of [`Store`](crate::Store) share: batches, errors, migrations, rows,
//! parameters. No queries: the macros of sqlx check those of one database per crate.

mod batch;
mod change;
mod creation;
mod errors;
mod parameters;
mod row;
mod schema;

pub use batch::{Batch, Batcher, BatcherLimits};
pub use change::ChangeRow;
pub use creation::{Creation, StoredKey};
pub use row::{ListRow, TodoRow};
pub use schema::Schema;
