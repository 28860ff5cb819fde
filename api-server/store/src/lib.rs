//! The words of the service: what a todo and a list are, and the [`Store`] that a database must be. No SQL, no HTTP.

mod batch;
mod error;
mod list;
mod precondition;
mod query;
mod row;
mod store;
mod todo;

pub use batch::{Batch, Batcher, BatcherLimits};
pub use error::{Error, Result};
pub use list::{List, ListId, ListName, NewList};
pub use precondition::Precondition;
pub use query::{Cursor, Filter, Sort, TodoQuery};
pub use row::TodoRow;
pub use store::{Created, IdempotencyKey, PoolState, SchemaVersion, Store};
pub use todo::{
    Collection, Invalid, NewTodo, Owner, Priority, Tags, Title, Todo, TodoId, TodoPatch, TodoPlace,
};
