//! How values of the model are written as query parameters. Rows, which are read, are in `row`.

use crate::{Collection, Precondition, Priority};

impl Collection {
    /// The list as it is in the indexes: 0 for the default list, since lists are numbered from 1.
    pub fn list_or_zero(&self) -> i64 {
        self.list.unwrap_or(0)
    }
}

impl Precondition {
    /// The versions that the todo or list may have; `None` when every version may be changed.
    pub fn versions(&self) -> Option<&[i64]> {
        match self {
            Self::None => None,
            Self::AnyOf(versions) => Some(versions),
        }
    }
}

impl Priority {
    /// The number in the database.
    pub fn number(self) -> i16 {
        self as i16
    }

    /// From the number in the database; a number that a later version wrote is read as none.
    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High].into_iter().find(|priority| priority.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_priority_is_read_back_from_its_number() {
        for priority in [Priority::Low, Priority::Medium, Priority::High] {
            assert_eq!(Priority::from_number(priority.number()), Some(priority));
        }
    }
}
