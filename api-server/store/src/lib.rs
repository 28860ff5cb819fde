//! What a todo is (`model`), what a database of todos can do ([`Store`]), and what the implementations for
//! SQL databases share ([`sql`]). No queries and no drivers, which are in the crates `store-postgres` and
//! `store-sqlite`; no HTTP.

mod error;
mod model;
pub mod sql;
mod store;

pub use error::{Error, Result};
pub use model::{
    change::{Change, Changed, InvalidPosition, Position},
    import::{ImportProgress, ImportStep},
    list::{List, ListId, ListName, ListPatch, ListPlace, NewList},
    precondition::Precondition,
    query::{Cursor, Filter, Page, Sort, TodoQuery},
    todo::{
        Collection, DueDate, Invalid, NewTodo, Owner, Priority, Tags, Title, Todo, TodoId, TodoPatch,
        TodoPlace,
    },
};
pub use store::{Created, IdempotencyKey, PoolState, SchemaVersion, Store};
