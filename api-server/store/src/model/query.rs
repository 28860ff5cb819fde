//! Which todos of a collection, in which order, from where.

use crate::{Todo, TodoId};

/// The order of a list.
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

/// Which todos.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only done, or only open ones.
    pub completed: Option<bool>,
    /// Only those whose title contains this text, whatever the case of its letters.
    pub text: Option<String>,
}

/// The place after which a page begins: a todo's sort key. Stable when rows come and go, unlike an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The `order` of the last todo of the page before, [`Cursor::NO_ORDER`] without one.
    pub order: i64,
    /// Its number.
    pub id: TodoId,
}

impl Cursor {
    /// What stands for "no order" when sorting, so that such todos come last.
    pub const NO_ORDER: i64 = i64::MAX;

    /// The place of a todo.
    #[must_use]
    pub fn of(todo: &Todo) -> Self {
        Self { order: todo.order.unwrap_or(Self::NO_ORDER), id: todo.id }
    }
}

/// One page of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TodoQuery {
    /// Which todos.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// After which place; none is the beginning.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: i64,
}
