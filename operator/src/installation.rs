//! Which installation of the operator manages a stack: the one whose Lease the status names, as long as that
//! Lease is renewed. Others write nothing there.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{Api, Client};
use todostack_stack::error_chain::one_line;
use tokio::time::Instant;

use crate::{clock, lease_name::LeaseName};

/// A Lease that is not renewed for this time is that of an installation that is gone. Longer than an upgrade
/// or a takeover within it, shorter than users would wait for a stack without an operator.
const GONE: Duration = Duration::from_mins(1);
/// How often a Lease is read at most, however many stacks name it.
const READ: Duration = Duration::from_secs(10);

/// The own Lease and what is known of those of others.
#[derive(Default)]
pub(crate) struct Installation {
    /// None: the operator takes part in no election, and manages all stacks that it sees.
    own: Option<LeaseName>,
    others: Mutex<Others>,
}

#[derive(Default)]
struct Others {
    sightings: HashMap<String, Sighting>,
    /// The uids of stacks that others manage.
    stacks: HashSet<String>,
}

/// What was read of another installation's Lease.
#[derive(Clone, Debug)]
struct Sighting {
    state: State,
    read: Instant,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    /// The content, and since when it is the same.
    Found(Option<LeaseSpec>, Instant),
    Missing,
    /// It cannot be read: the installation is taken for alive.
    Unknown,
}

impl State {
    fn is_gone(&self, now: Instant) -> bool {
        match self {
            Self::Found(_, since) => now.duration_since(*since) >= GONE,
            Self::Missing => true,
            Self::Unknown => false,
        }
    }

    /// The state after a Lease was read again. The clocks of two machines are not compared.
    fn found(self, spec: Option<LeaseSpec>, now: Instant) -> Self {
        match self {
            Self::Found(before, since) if before == spec => Self::Found(spec, since),
            _ => Self::Found(spec, now),
        }
    }
}

impl Installation {
    pub(crate) fn new(own: LeaseName) -> Self {
        Self { own: Some(own), others: Mutex::default() }
    }

    /// What the status of a stack says that this installation manages.
    pub(crate) fn mark(&self) -> Option<String> {
        self.own.as_ref().map(LeaseName::to_string)
    }

    /// The installation that manages a stack with this mark, if it is another one that is alive.
    pub(crate) async fn other<'a>(&self, client: &Client, mark: Option<&'a str>) -> Option<&'a str> {
        let (mark, own) = (mark?, self.own.as_ref()?);
        if mark.parse::<LeaseName>().is_ok_and(|lease| lease.is_of_same_installation(own)) {
            return None;
        }
        let now = clock::timer();
        let known = self.lock().sightings.get(mark).cloned();
        let state = match known {
            Some(known) if now.duration_since(known.read) < READ => known.state,
            known => {
                let state = read(client, mark, known.map_or(State::Missing, |known| known.state)).await;
                let sighting = Sighting { state: state.clone(), read: now };
                self.lock().sightings.insert(mark.to_owned(), sighting);
                state
            }
        };
        (!state.is_gone(clock::timer())).then_some(mark)
    }

    /// Notes that another installation manages a stack, or no longer does; returns whether that is new.
    pub(crate) fn note(&self, uid: &str, is_other: bool) -> bool {
        let mut others = self.lock();
        if is_other { others.stacks.insert(uid.to_owned()) } else { others.stacks.remove(uid) }
    }

    pub(crate) fn stacks_of_others(&self) -> usize {
        self.lock().stacks.len()
    }

    fn lock(&self) -> MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(client: &Client, mark: &str, before: State) -> State {
    // Not a mark that an operator has written.
    let Ok(LeaseName { namespace, name }) = mark.parse() else { return State::Missing };
    let leases: Api<Lease> = Api::namespaced(client.clone(), &namespace);
    match leases.get(&name).await {
        Ok(lease) => before.found(lease.spec, clock::timer()),
        Err(kube::Error::Api(answer)) if answer.code == 404 => State::Missing,
        Err(error) => {
            tracing::warn!(lease = mark, error = %one_line(&error), "Lease of another operator cannot be read");
            State::Unknown
        }
    }
}

#[cfg(test)]
mod tests;
