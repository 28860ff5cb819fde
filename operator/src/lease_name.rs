//! The name of a Lease, which also identifies an installation of the operator.

use std::{fmt, str::FromStr};

use crate::shard::Shard;

/// Namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LeaseName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl LeaseName {
    /// The Lease of one shard of the installation that this names.
    pub(crate) fn of_shard(&self, shard: Shard) -> Self {
        Self { namespace: self.namespace.clone(), name: shard.lease_name(&self.name) }
    }

    /// Whether both are of one installation, perhaps of different shards.
    pub(crate) fn is_of_same_installation(&self, other: &Self) -> bool {
        self.namespace == other.namespace && Shard::of_lease(&self.name).0 == Shard::of_lease(&other.name).0
    }
}

#[derive(Debug, thiserror::Error)]
#[error("not of the form namespace/name")]
pub(crate) struct Invalid;

impl FromStr for LeaseName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_label = |text: &str| {
            text.starts_with(|it: char| it.is_ascii_alphanumeric())
                && text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'.'))
        };
        let (namespace, name) = text.split_once('/').ok_or(Invalid)?;
        if !is_label(namespace) || !is_label(name) {
            return Err(Invalid);
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name } = self;
        write!(formatter, "{namespace}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_nothing_else_is() {
        let name: LeaseName = "todostack-system/todostack-operator".parse().unwrap();
        assert_eq!(name.to_string(), "todostack-system/todostack-operator");
        // A mark in a status is anyone's text, and becomes part of a URL.
        for invalid in ["", "a", "/a", "a/", "a/b/c", "a/../b", "a/..", "a/b?c", "a/b c"] {
            assert!(invalid.parse::<LeaseName>().is_err(), "{invalid}");
        }
    }
}
