//! What a cause is told by, and the parts of a stack that it can be in. Who finds which is `diagnose/`'s, and for what the
//! spec names `resolve/`'s.

use k8s_openapi::api::core::v1::ObjectReference;
use todostack_crds::Reason;

/// The parts of a stack in the order of causality: what is wrong in one explains what is wrong in those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The objects themselves: whose they are, whether the cluster takes them.
    Objects,
    /// The logins.
    Credentials,
    /// The volume.
    Storage,
    /// The server.
    Database,
    /// The schema.
    Migrations,
    /// The API's pods.
    Api,
    /// The way in.
    Exposure,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Where it is wrong.
    pub part: Part,
    /// The object, by kind and name.
    pub object: String,
    /// The cause.
    pub reason: Reason,
    /// What is wrong with the object: a clause that goes on after its name.
    pub problem: String,
    /// What to do: the line to change or the command to run.
    pub remedy: String,
    /// Where it is seen: it may hold names that change by themselves, so it stands in no condition.
    pub evidence: String,
    /// The object that an Event points to: where a person reads on. None where it is not there.
    pub related: Option<ObjectReference>,
    /// Whether it goes on only when a person changes something.
    pub needs_person: bool,
}

impl Finding {
    /// The sentence for conditions and Events.
    #[must_use]
    pub fn message(&self) -> String {
        format!("{} {}. {}", self.object, self.problem, self.remedy)
    }
}
