//! Todos, lists, and how a client selects and guards them. Values of these types are valid; how they are
//! stored is not here.

pub(crate) mod change;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod precondition;
pub(crate) mod query;
pub(crate) mod todo;
