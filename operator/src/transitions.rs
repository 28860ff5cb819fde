//! Which changes of a status are worth an Event, and what it says. Pure; `publish` writes them.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{ObjectReference, PersistentVolumeClaim, Secret, Service},
        networking::v1::Ingress,
    },
    apimachinery::pkg::apis::meta::v1::Condition,
};
use kube::runtime::events::{Event, EventType};
use todostack_crds::{ConditionType, Reason, TodoStackStatus};

use crate::{
    children::{Child, Key},
    conditions::View,
    finding::Part,
    names,
    resources::migration_job,
};

/// Longest note that the API server takes, in bytes (events.k8s.io/v1).
const LONGEST_NOTE: usize = 1024;

/// The conditions that are told, each with its part; `Ready` last, as the sum: its cause is told with the part.
const TOLD: [(ConditionType, Option<Part>); 7] = [
    (ConditionType::CredentialsValid, Some(Part::Credentials)),
    (ConditionType::StorageReady, Some(Part::Storage)),
    (ConditionType::DatabaseReady, Some(Part::Database)),
    (ConditionType::MigrationsApplied, Some(Part::Migrations)),
    (ConditionType::ApiAvailable, Some(Part::Api)),
    (ConditionType::Exposed, Some(Part::Exposure)),
    (ConditionType::Ready, None),
];

/// What passes by itself, and what there is not: the status alone says it.
const SILENT: [Reason; 6] = [
    Reason::NotObserved,
    Reason::NotNeeded,
    Reason::Progressing,
    Reason::WaitingForDependency,
    Reason::VolumePending,
    Reason::AddressPending,
];

/// One Event for each condition that came to a cause or to true.
#[must_use]
pub fn events(old: &TodoStackStatus, new: &TodoStackStatus, view: View<'_>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (kind, part) in TOLD {
        let (before, now) = (condition(old, kind), condition(new, kind));
        let Some(event) = now.filter(|now| is_told(before, now)).map(|now| event(now, part, view)) else {
            continue;
        };
        if !events.iter().any(|told| told.reason == event.reason && told.note == event.note) {
            events.push(event);
        }
    }
    events
}

fn condition(status: &TodoStackStatus, kind: ConditionType) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

fn is_told(before: Option<&Condition>, now: &Condition) -> bool {
    let same = before.is_some_and(|before| before.status == now.status && before.reason == now.reason);
    !same && !SILENT.iter().any(|silent| silent.as_str() == now.reason)
}

fn event(now: &Condition, part: Option<Part>, view: View<'_>) -> Event {
    let cause = view.findings.iter().find(|finding| finding.message() == now.message);
    let good = now.status == "True" && now.reason == Reason::AsExpected.as_str();
    let part = cause.map(|finding| finding.part).or(part);
    Event {
        type_: if good { EventType::Normal } else { EventType::Warning },
        reason: if good { now.type_.clone() } else { now.reason.clone() },
        note: Some(
            now.message.get(..now.message.floor_char_boundary(LONGEST_NOTE)).unwrap_or_default().to_owned(),
        ),
        action: action(part).to_owned(),
        secondary: match cause {
            Some(finding) => finding.related.clone(),
            None => part.and_then(|part| object(part, view)),
        },
    }
}

/// What the operator was at.
fn action(part: Option<Part>) -> &'static str {
    match part {
        None => "Reconcile",
        Some(Part::Objects) => "Apply",
        Some(Part::Credentials) => "CheckCredentials",
        Some(Part::Storage) => "ProvideVolume",
        Some(Part::Database) => "RunDatabase",
        Some(Part::Migrations) => "Migrate",
        Some(Part::Api) => "RollOut",
        Some(Part::Exposure) => "Expose",
    }
}

/// The object that a part is known by, once it is there.
fn object(part: Part, view: View<'_>) -> Option<ObjectReference> {
    let View { stack, observed, findings: _ } = view;
    let name = &stack.name;
    let keys = match part {
        Part::Objects => return None,
        Part::Credentials => vec![key::<Secret>(names::app_secret(name))],
        Part::Storage => vec![key::<PersistentVolumeClaim>(stack.volume()?.claim.clone())],
        Part::Database => vec![key::<StatefulSet>(names::database(name))],
        Part::Migrations => {
            let login = stack.credentials()?.app.as_ref()?;
            vec![key::<Job>(migration_job::name(stack, login))]
        }
        Part::Api => vec![key::<Deployment>(names::api(name))],
        Part::Exposure => vec![key::<Ingress>(names::ingress(name)), key::<Service>(names::api(name))],
    };
    let there = keys.into_iter().find_map(|key| Some((observed.children.get(&key)?.uid.clone(), key)));
    there.map(|(uid, key)| ObjectReference { uid, ..key.reference(&stack.namespace) })
}

fn key<K: Child>(name: String) -> Key {
    Key::of::<K>(name)
}

#[cfg(test)]
mod tests;
