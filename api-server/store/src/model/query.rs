//! Which todos or lists a client requests: filter, order, page. Query strings are parsed by the API.

use crate::{List, Todo};

/// The order of the todos or lists in a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Oldest first.
    #[default]
    Created,
    /// Newest first.
    CreatedDescending,
    /// By `order`, those without one last; equal ones oldest first.
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

/// The sort key of the todo or list after which a page starts. Stable when rows are inserted or deleted,
/// unlike an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The `order` of the last row of the previous page, or [`Cursor::NO_ORDER`].
    pub order: i64,
    /// The number of that row.
    pub id: i64,
}

impl Cursor {
    /// The sort key of rows without an order, which come last.
    pub const NO_ORDER: i64 = i64::MAX;

    fn new(order: Option<i64>, id: i64) -> Self {
        Self { order: order.unwrap_or(Self::NO_ORDER), id }
    }
}

impl From<&Todo> for Cursor {
    fn from(todo: &Todo) -> Self {
        Self::new(todo.order, todo.id)
    }
}

impl From<&List> for Cursor {
    fn from(list: &List) -> Self {
        Self::new(list.order, list.id)
    }
}

/// One page of todos or lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The order, which the cursor must be from.
    pub sort: Sort,
    /// `None` for the first page.
    pub after: Option<Cursor>,
    /// The maximum number of rows; at least 1.
    pub limit: i64,
}

/// One page of the todos of a collection that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TodoQuery {
    /// Todos that do not match are left out.
    pub filter: Filter,
    /// Of those that match.
    pub page: Page,
}
