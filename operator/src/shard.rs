//! Which stacks one of several operators serves: those whose uid has its remainder. That no two serve one
//! stack while their number changes is ensured by `shard/handover.rs`.

use std::{fmt, str::FromStr};

use todostack_stack::hash;

pub(crate) mod handover;

/// Operators that a flag may name.
const MOST: u32 = 64;

/// One of `count` operators, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Shard {
    count: u32,
    index: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("a shard is index/count, such as 0/2, with an index from 0 and at most {MOST} shards")]
pub(crate) struct Invalid;

impl Default for Shard {
    /// The only one.
    fn default() -> Self {
        Self { count: 1, index: 0 }
    }
}

impl FromStr for Shard {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (index, count) = text.split_once('/').ok_or(Invalid)?;
        let shard =
            Self { count: count.parse().map_err(|_| Invalid)?, index: index.parse().map_err(|_| Invalid)? };
        if shard.count <= MOST && shard.index < shard.count { Ok(shard) } else { Err(Invalid) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, index } = self;
        write!(formatter, "{index}/{count}")
    }
}

impl Shard {
    /// The name of the Lease of this shard of an installation. That of the only shard has no suffix.
    pub(crate) fn lease_name(self, installation: &str) -> String {
        let Self { count, index } = self;
        if count == 1 { installation.to_owned() } else { format!("{installation}-{index}-of-{count}") }
    }

    /// The installation and the shard that the name of a Lease tells.
    pub(crate) fn of_lease(name: &str) -> (&str, Self) {
        let split = || {
            let (rest, count) = name.rsplit_once("-of-")?;
            let (installation, index) = rest.rsplit_once('-')?;
            Some((installation, format!("{index}/{count}").parse().ok()?))
        };
        split().unwrap_or((name, Self::default()))
    }

    /// Whether the shard has the stack of this uid.
    pub(crate) fn has(self, uid: &str) -> bool {
        let number = u32::from_str_radix(&hash::short(&[uid]), 16).unwrap_or_default();
        number.checked_rem(self.count) == Some(self.index)
    }

    /// Whether a stack may be in both: two remainders of one number are the same modulo what divides both
    /// counts.
    fn overlaps(self, other: Self) -> bool {
        let common = greatest_common_divisor(self.count, other.count);
        self.index.checked_rem(common) == other.index.checked_rem(common)
    }
}

fn greatest_common_divisor(one: u32, two: u32) -> u32 {
    if two == 0 { one } else { greatest_common_divisor(two, one.checked_rem(two).unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn shards(count: u32) -> impl Iterator<Item = Shard> {
        (0..count).map(move |index| Shard { count, index })
    }

    #[test]
    fn each_stack_is_in_one_shard_and_the_shards_are_about_equal() {
        for count in [1, 2, 3, 7] {
            let mut sizes = vec![0_u32; count as usize];
            for number in 0..4000 {
                let uid = format!("7f1d{number:04}-0000-4000-8000-000000000000");
                let those: Vec<_> = shards(count).filter(|shard| shard.has(&uid)).collect();
                assert_eq!(those.len(), 1, "{uid}");
                sizes[those[0].index as usize] += 1;
            }
            assert!(sizes.iter().all(|size| size.abs_diff(4000 / count) < 4000 / count / 5), "{sizes:?}");
        }
    }

    #[test]
    fn two_shards_overlap_if_they_have_a_stack_in_common() {
        for (one, two) in (1..8).flat_map(|one| (1..8).map(move |two| (one, two))) {
            for (one, two) in shards(one).flat_map(|one| shards(two).map(move |two| (one, two))) {
                let is_common =
                    (0..840_u32).any(|it| it % one.count == one.index && it % two.count == two.index);
                assert_eq!(one.overlaps(two), is_common, "{one} {two}");
            }
        }
    }

    #[test]
    fn the_name_of_a_lease_tells_installation_and_shard() {
        for shard in (1..4).flat_map(shards) {
            assert_eq!(Shard::of_lease(&shard.lease_name("todo-of-ours")), ("todo-of-ours", shard));
        }
        for name in ["todo", "todo-of-2", "todo-2-of-2", "todo-x-of-2", "-of-"] {
            assert_eq!(Shard::of_lease(name), (name, Shard::default()));
        }
    }

    #[rstest]
    #[case("0/1", true)]
    #[case("63/64", true)]
    #[case("2/2", false)]
    #[case("0/0", false)]
    #[case("0/65", false)]
    #[case("-1/2", false)]
    #[case("1", false)]
    fn a_shard_is_an_index_and_a_count(#[case] text: &str, #[case] is_valid: bool) {
        let shard = text.parse::<Shard>();
        assert_eq!(shard.is_ok(), is_valid);
        assert!(shard.is_err() || shard.unwrap().to_string() == text);
    }
}
