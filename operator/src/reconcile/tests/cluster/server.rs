//! The API server of the cluster: answers requests from the store, causes the fault that a test plans, and
//! checks after each write what must hold at every moment.

use std::collections::BTreeSet;

use serde_json::Value;

use todostack_stack::config::Config;

use super::{
    super::api_server::failure,
    requests::{Request, answer},
    store::{Store, secret_text},
};
use crate::upgrades::Limits;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    // The operator's process ends.
    Kill,
    Answer(u16, &'static str),
    // The connection is closed.
    Drop,
    // Nothing is answered, until the client's time limit.
    Silence,
}

// A fault at one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) fault: Fault,
    // Number of the request, from 1.
    pub(crate) at: usize,
    // Whether only writes count.
    pub(crate) of_writes: bool,
    // Whether the request is carried out, and only its answer is lost.
    pub(crate) is_stored: bool,
}

pub(crate) enum Reaction {
    Answer(u16, Value),
    Drop,
    Silence,
    Kill,
}

// Every write of one object is answered like this.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) resource: String,
    // Empty for all.
    pub(crate) name: String,
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

// A mutating admission webhook: a merge patch of every object of a resource that the operator writes.
// `managedFields` do not show it.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    pub(crate) resource: &'static str,
    pub(crate) patch: Value,
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) store: Store,
    // Requests and writes since the start of the test, also those that failed.
    pub(crate) requests: usize,
    pub(crate) writes: Vec<Request>,
    // All requests since the start of the test.
    pub(crate) log: Vec<Request>,
    // Whether steps of a stack that starts are reported rarely, as in production, or all of them at once.
    pub(crate) is_quiet: bool,
    // Settings of the operator, and its limits, if they are not those of the fixtures.
    pub(crate) config: Option<Config>,
    pub(crate) limits: Option<Limits>,
    pub(crate) plan: Option<Plan>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) mutation: Option<Mutation>,
    // What did not hold.
    pub(crate) violations: BTreeSet<String>,
    // All credentials that were stored.
    pub(crate) logins: BTreeSet<(String, String)>,
}

impl Server {
    #[expect(clippy::needless_pass_by_value, reason = "a request is received once")]
    pub(crate) fn receive(&mut self, request: Request) -> Reaction {
        self.requests += 1;
        self.log.push(request.clone());
        if request.is_write() {
            self.writes.push(request.clone());
        }
        if let Some(refusal) = self.refusal.as_ref().filter(|refusal| refusal.concerns(&request)) {
            let (code, value) = failure(refusal.code, refusal.reason, "denied by a policy");
            return Reaction::Answer(code, value);
        }
        let plan = self.plan.take_if(|plan| {
            let number = if plan.of_writes { self.writes.len() } else { self.requests };
            number >= plan.at && (request.is_write() || !plan.of_writes)
        });
        if plan.is_some_and(|plan| !plan.is_stored) {
            return plan.map(|plan| plan.fault.reaction()).unwrap();
        }
        let (code, value) = answer(&mut self.store, &request, self.mutation.as_ref());
        self.check();
        plan.map_or(Reaction::Answer(code, value), |plan| plan.fault.reaction())
    }

    // What must hold at every moment.
    pub(crate) fn check(&mut self) {
        let store = &self.store;
        let unfinished = store.list("jobs").filter(|job| job["status"].get("conditions").is_none()).count();
        if unfinished > 1 {
            self.violations.insert(format!("{unfinished} Jobs have not finished"));
        }
        for secret in store.list("secrets").filter(|secret| secret["data"].get("seal").is_some()) {
            let login = (secret_text(secret, "username"), secret_text(secret, "password"));
            let is_of_pods = secret["metadata"]["name"] == "shop-db-app";
            // Before the first migration, no pod serves.
            if is_of_pods && !store.accepted.is_empty() && !store.accepted.contains(&login) {
                self.violations.insert("pods read credentials that the server has not accepted".to_owned());
            }
            self.logins.insert(login);
        }
        for (resource, object) in store.all() {
            let is_data = matches!(resource, "persistentvolumeclaims" | "persistentvolumes");
            if is_data && object["metadata"].get("ownerReferences").is_some() {
                self.violations.insert(format!("data has an owner: {}", object["metadata"]["name"]));
            }
        }
    }
}

impl Fault {
    fn reaction(self) -> Reaction {
        match self {
            Self::Kill => Reaction::Kill,
            Self::Drop => Reaction::Drop,
            Self::Silence => Reaction::Silence,
            Self::Answer(code, reason) => {
                let (code, value) = failure(code, reason, "a fault that the test causes");
                Reaction::Answer(code, value)
            }
        }
    }
}

impl Refusal {
    pub(crate) fn concerns(&self, request: &Request) -> bool {
        let is_named = self.name.is_empty() || request.name == self.name;
        request.is_write() && request.resource == self.resource && is_named
    }
}
