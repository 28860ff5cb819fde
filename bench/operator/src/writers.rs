//! Who may write when: the requests of several operators against the terms of their Leases. Reads nothing;
//! how requests are found in the audit log is in `writers/log.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::stacks::Id;

pub(crate) mod log;

/// One write, as the API server has seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    /// The process that sent it. One that is started again is another one.
    pub(crate) process: String,
    /// It took effect between these two, if at all.
    pub(crate) received: Timestamp,
    pub(crate) answered: Timestamp,
    pub(crate) verb: String,
    /// `services`, `todostacks/status`.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) code: u16,
}

/// From the write by which a process got a Lease until the one by which another one got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) lease: String,
    pub(crate) process: String,
    pub(crate) start: Timestamp,
    /// When the write of the next holder was answered. None: nobody has followed.
    pub(crate) end: Option<Timestamp>,
}

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A write of a process that did not hold its Lease; with the terms that it had.
    OutsideOfTerm(Write, Vec<Term>),
    /// Two processes wrote to one stack in turns: the last write of the first was answered after the first
    /// write of the second was received.
    Interleaved { stack: Id, first: Write, second: Write },
}

impl Write {
    fn is_lease(&self) -> bool {
        self.resource == "leases"
    }

    fn is_stored(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The stack that the object belongs to, by its name: `s0001`, `s0001-api`, the Event `s0001-api.18a`.
    pub(crate) fn stack(&self) -> Option<Id> {
        let name = self.name.split(['-', '.']).next()?;
        let is_number = name.strip_prefix('s').is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()));
        is_number.then(|| Id { namespace: self.namespace.clone(), name: name.to_owned() })
    }
}

/// The terms of each Lease, in order. A Lease is replaced by its resource version, so whoever gets it has
/// sent the request after the previous holder's was stored.
pub(crate) fn terms(writes: &[Write]) -> Vec<Term> {
    let mut leases: BTreeMap<&str, Vec<&Write>> = BTreeMap::new();
    for write in writes.iter().filter(|it| it.is_lease() && it.is_stored()) {
        leases.entry(&write.name).or_default().push(write);
    }
    let mut terms: Vec<Term> = Vec::new();
    for (lease, mut writes) in leases {
        writes.sort_by_key(|it| it.received);
        let mut current: Option<Term> = None;
        for write in writes {
            if current.as_ref().is_some_and(|it| it.process == write.process) {
                continue;
            }
            let (lease, process) = (lease.to_owned(), write.process.clone());
            let next = Term { lease, process, start: write.received, end: None };
            if let Some(last) = current.replace(next) {
                terms.push(Term { end: Some(write.answered), ..last });
            }
        }
        terms.extend(current);
    }
    terms
}

/// All writes that are not within a term of their process, and all stacks that two have served at a time.
/// A request that failed counts too: it was sent, and may have been stored.
pub(crate) fn violations(writes: &[Write]) -> Vec<Violation> {
    let terms = terms(writes);
    let mut violations = Vec::new();
    let mut stacks: BTreeMap<Id, Vec<(&Write, usize)>> = BTreeMap::new();
    for write in writes.iter().filter(|it| !it.is_lease()) {
        let is_within = |term: &Term| {
            term.process == write.process
                && term.start <= write.received
                && term.end.is_none_or(|end| write.answered <= end)
        };
        if let Some(term) = terms.iter().position(is_within) {
            if let Some(stack) = write.stack() {
                stacks.entry(stack).or_default().push((write, term));
            }
        } else {
            let own = terms.iter().filter(|term| term.process == write.process).cloned();
            violations.push(Violation::OutsideOfTerm(write.clone(), own.collect()));
        }
    }
    violations.extend(stacks.into_iter().filter_map(|(stack, writes)| interleaved(stack, &writes)));
    violations
}

/// Whether the spans of two terms overlap in one stack.
fn interleaved(stack: Id, writes: &[(&Write, usize)]) -> Option<Violation> {
    // By term: the write that was received first, and the one that was answered last.
    let mut spans: BTreeMap<usize, (&Write, &Write)> = BTreeMap::new();
    for (write, term) in writes {
        let span = spans.entry(*term).or_insert((write, write));
        if write.received < span.0.received {
            span.0 = write;
        }
        if write.answered > span.1.answered {
            span.1 = write;
        }
    }
    let mut spans: Vec<_> = spans.into_values().collect();
    spans.sort_by_key(|(first, _)| first.received);
    let mut last: Option<&Write> = None;
    for (first, end) in spans {
        if let Some(last) = last
            && last.answered > first.received
            && last.process != first.process
        {
            return Some(Violation::Interleaved { stack, first: last.clone(), second: first.clone() });
        }
        last = last.filter(|last| last.answered > end.answered).or(Some(end));
    }
    None
}

/// Which processes have written to each stack between two times.
pub(crate) fn servers(writes: &[Write], from: Timestamp, to: Timestamp) -> BTreeMap<Id, BTreeSet<&str>> {
    let mut servers: BTreeMap<Id, BTreeSet<&str>> = BTreeMap::new();
    let within = |it: &&Write| !it.is_lease() && it.received >= from && it.received <= to;
    for write in writes.iter().filter(within) {
        if let Some(stack) = write.stack() {
            servers.entry(stack).or_default().insert(&write.process);
        }
    }
    servers
}

impl fmt::Display for Write {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, received, answered, verb, resource, namespace, name, code } = self;
        write!(formatter, "{process}: {verb} {resource} {namespace}/{name}, {received} to {answered}, {code}")
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideOfTerm(write, terms) => {
                write!(formatter, "written without the Lease: {write}; its terms:")?;
                for Term { lease, process: _, start, end } in terms {
                    let end = end.map_or_else(|| "now".to_owned(), |end| end.to_string());
                    write!(formatter, " {lease} {start} to {end}")?;
                }
                Ok(())
            }
            Self::Interleaved { stack, first, second } => {
                write!(formatter, "two served {stack} at the same time: {first}; {second}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
