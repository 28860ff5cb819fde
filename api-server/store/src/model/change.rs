//! Changes of todos and lists, and their order, in which streams deliver them. How they are logged is in the
//! implementations.

use std::{fmt, str::FromStr};

use crate::{List, ListId, Owner, Todo, TodoId};

/// A place in the log of changes, from which a reader continues. Places are comparable within one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// A random number. A log that was lost, as after a crash, is followed by one with another number.
    pub log: i64,
    /// Changes are ordered by it, and then by `seq`. What it counts is up to the database.
    pub horizon: i64,
    /// Grows with each change.
    pub seq: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, horizon, seq } = self;
        write!(f, "{:x}-{horizon}-{seq}", log.cast_unsigned())
    }
}

/// The text is not that of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the log of changes")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let mut parts = text.split('-');
        let (Some(log), Some(horizon), Some(seq), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidPosition);
        };
        let log = u64::from_str_radix(log, 16).map_err(|_| InvalidPosition)?.cast_signed();
        let number = |text: &str| text.parse().map_err(|_| InvalidPosition);
        Ok(Self { log, horizon: number(horizon)?, seq: number(seq)? })
    }
}

/// One change of one todo or list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The place after it.
    pub position: Position,
    /// Whose todo or list it is.
    pub owner: Owner,
    /// What it is since.
    pub what: Changed,
}

/// A todo or a list as it became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Created, or changed. `list` is `None` in the default list.
    Todo { list: Option<ListId>, todo: Todo },
    /// Deleted, alone or with its list.
    TodoDeleted { list: Option<ListId>, id: TodoId },
    /// Created, or changed.
    List(List),
    /// Deleted; the deletions of its todos follow.
    ListDeleted(ListId),
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Position { log: -1, horizon: 740, seq: 12 }, "ffffffffffffffff-740-12")]
    #[case(Position { log: 10, horizon: 0, seq: i64::MAX }, "a-0-9223372036854775807")]
    fn a_position_is_read_back_from_its_text(#[case] position: Position, #[case] text: &str) {
        assert_eq!(position.to_string(), text);
        assert_eq!(text.parse(), Ok(position));
    }

    #[rstest]
    #[case("")]
    #[case("1")]
    #[case("a-1-2-3")]
    #[case("g-1-2")]
    #[case("a-1-99999999999999999999")]
    fn another_text_is_no_position(#[case] text: &str) {
        assert_eq!(text.parse::<Position>(), Err(InvalidPosition));
    }
}
