//! Which todos of a collection a client requests: filter, order, page. Query strings are parsed by the API.

use crate::{Todo, TodoId};

/// The order of the todos in a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Oldest first.
    #[default]
    Created,
    /// Newest first.
    CreatedDescending,
    /// By `order`, todos without one last; equal ones oldest first.
    Order,
    /// The reverse of [`Sort::Order`].
    OrderDescending,
}

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only completed todos, or only open ones.
    pub completed: Option<bool>,
    /// Only todos whose title contains this text; upper and lower case are equal, in SQLite those of ASCII
    /// only.
    pub text: Option<String>,
}

/// The sort key of the todo after which a page starts. Stable when rows are inserted or deleted, unlike an
/// offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The `order` of the last todo of the previous page, or [`Cursor::NO_ORDER`].
    pub order: i64,
    /// The number of that todo.
    pub id: TodoId,
}

impl Cursor {
    /// The sort key of todos without an order, which come last.
    pub const NO_ORDER: i64 = i64::MAX;

    /// The cursor for the page after this todo.
    pub fn of(todo: &Todo) -> Self {
        Self { order: todo.order.unwrap_or(Self::NO_ORDER), id: todo.id }
    }
}

/// One page of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TodoQuery {
    /// Todos that do not match are left out.
    pub filter: Filter,
    /// The order, which the cursor must be from.
    pub sort: Sort,
    /// `None` for the first page.
    pub after: Option<Cursor>,
    /// The maximum number of todos; at least 1.
    pub limit: i64,
}
