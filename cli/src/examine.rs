//! From what was seen of a stack to what is said of it, by the operator's own rules: `resolve`, `diagnose` and the
//! conditions' `judge`. Pure. What the operator alone can know (what it was refused, other namespaces) is taken from
//! the status that it wrote.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;
use todostack_crds::{ConditionType, Reason, TodoStack};
use todostack_operator::{
    apply::Applied,
    args::Config,
    conditions::{self, Status, Verdict, View},
    credentials::{Fresh, Login},
    diagnose::{self, Evidence},
    finding::{Finding, Part},
    names,
    observe::Observed,
    resolve::{self, Inputs, resolve},
    resources::{api_deployment, login_secret},
    stack::Stack,
};

use crate::{
    gaps::Gap,
    report::{self, Found, Health, Mark, PartReport, Report, Row},
    tree::{self, Forest},
};

/// Reasons that pass by themselves: no causes.
const PASSING: [Reason; 6] = [
    Reason::NotObserved,
    Reason::Paused,
    Reason::Progressing,
    Reason::WaitingForDependency,
    Reason::VolumePending,
    Reason::AddressPending,
];

/// What examining reads.
#[derive(Clone, Copy)]
pub(crate) struct Examined<'a> {
    pub(crate) stack: &'a TodoStack,
    /// What was seen, with stand-ins for what may not be read.
    pub(crate) seen: &'a Observed,
    pub(crate) gaps: &'a [Gap],
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
}

/// Values for logins that are not there yet. They are written nowhere, so they need not be drawn.
fn nothing_drawn() -> Fresh {
    Fresh { superuser_password: String::new(), app_password: String::new(), revision: String::new() }
}

/// Resolves a stack. Where Secrets may not be read, the login is taken to be the one that the API's pods run with.
pub(crate) fn resolved(examined: Examined<'_>) -> Result<Stack, resolve::Error> {
    let Examined { stack, seen, gaps, config, now: _ } = examined;
    let fresh = nothing_drawn();
    let first = resolve(stack, Inputs { observed: seen, fresh: &fresh, config })?;
    let login = first.credentials().and_then(|credentials| credentials.app.clone());
    let released = seen.deployment.as_deref().and_then(api_deployment::released);
    match (login, released) {
        (Some(login), Some(released)) if gaps.contains(&Gap::Secrets) && seen.app.is_none() => {
            let login = Login { revision: released.revision, ..login };
            let secret = login_secret::build(&first, names::app_secret(&first.name), &login);
            let seen = Observed { app: Some(Arc::new(secret)), ..seen.clone() };
            resolve(stack, Inputs { observed: &seen, fresh: &fresh, config })
        }
        _ => Ok(first),
    }
}

/// Says how a stack is.
pub(crate) fn examine(examined: Examined<'_>) -> Result<Report, resolve::Error> {
    let Examined { stack, seen, gaps, now, .. } = examined;
    let resolved = resolved(examined)?;
    let findings =
        diagnose::diagnose(Evidence { stack: &resolved, observed: seen, applied: &Applied::default(), now });
    let verdicts = conditions::judge(View { stack: &resolved, observed: seen, findings: &findings });
    let said = said_by_the_operator(stack, &findings);
    let rows = Rows { stack, gaps, verdicts: &verdicts, said: &said };
    let parts: Vec<_> = report::PARTS.into_iter().map(|part| rows.part(part, seen)).collect();
    let ready = rows.ready(&findings, &parts);
    let mut found: Vec<_> = said.into_iter().chain(findings.iter().map(|it| (it.part, found(it)))).collect();
    found.sort_by_key(|(part, _)| *part);
    let notes = notes(stack, &ready);
    Ok(Report {
        namespace: resolved.namespace,
        name: resolved.name,
        health: health(&ready, &found, stack),
        ready,
        url: stack.status.as_ref().and_then(|status| status.url.clone()),
        created: stack.metadata.creation_timestamp.as_ref().map(|time| time.0),
        parts,
        findings: found.into_iter().map(|(_, found)| found).collect(),
        notes,
        unchecked: gaps.iter().map(|gap| gap.note()).collect(),
    })
}

/// Both have to say so: what was found now, and the operator of the present spec, on which others rely.
fn health(ready: &Row, found: &[(Part, Found)], stack: &TodoStack) -> Health {
    let published = published(stack, ConditionType::Ready).is_some_and(|it| it.status == "True");
    match (found.is_empty(), ready.is_true() && published && is_present(stack)) {
        (true, true) => Health::Ready,
        (true, false) => Health::Starting,
        (false, _) => Health::Wrong,
    }
}

/// Whether the status speaks of the spec as it is now.
fn is_present(stack: &TodoStack) -> bool {
    stack.status.as_ref().is_some_and(|status| status.observed_generation >= stack.metadata.generation)
}

fn found(finding: &Finding) -> Found {
    let Finding { part, object, reason, problem, remedy, evidence, related: _, needs_person: _ } = finding;
    Found {
        part: report::name(*part),
        object: object.clone(),
        reason: reason.as_str().to_owned(),
        problem: problem.clone(),
        remedy: remedy.clone(),
        evidence: evidence.clone(),
    }
}

/// Causes that the status names and that were not found here.
fn said_by_the_operator(stack: &TodoStack, findings: &[Finding]) -> Vec<(Part, Found)> {
    let mut said: Vec<(Part, Found)> = Vec::new();
    let parts = report::PARTS.into_iter().map(|part| (part, condition_of(part)));
    for (part, kind) in parts.chain([(Part::Objects, ConditionType::Ready)]) {
        let Some(condition) = published(stack, kind).filter(|condition| condition.status == "False") else {
            continue;
        };
        let known = findings.iter().any(|finding| finding.reason.as_str() == condition.reason)
            || said.iter().any(|(_, found)| found.problem.ends_with(&condition.message));
        if !passes(&condition.reason) && !known {
            said.push((part, told(stack, part, condition)));
        }
    }
    said
}

fn passes(reason: &str) -> bool {
    PASSING.iter().any(|passing| passing.as_str() == reason)
}

fn told(stack: &TodoStack, part: Part, condition: &Condition) -> Found {
    Found {
        part: report::name(part),
        object: "The operator".to_owned(),
        reason: condition.reason.clone(),
        problem: format!("says: {}", condition.message),
        remedy: String::new(),
        evidence: format!("condition {} of TodoStack {}", condition.type_, stack.name_any()),
    }
}

fn published(stack: &TodoStack, kind: ConditionType) -> Option<&Condition> {
    stack.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

fn notes(stack: &TodoStack, ready: &Row) -> Vec<String> {
    let paused = stack.spec.paused.then(|| "spec.paused is true: the operator changes nothing".to_owned());
    let leaving = stack.metadata.deletion_timestamp.is_some().then(|| "it is being deleted".to_owned());
    paused.into_iter().chain(leaving).chain(behind(stack, ready)).collect()
}

/// What to know when the status does not speak of what was found.
fn behind(stack: &TodoStack, ready: &Row) -> Option<String> {
    if !is_present(stack) {
        let words = "the operator has not looked at this spec yet: see kubectl todostack doctor";
        return Some(words.to_owned());
    }
    let published = published(stack, ConditionType::Ready)?;
    (published.status != ready.status).then(|| {
        format!(
            "the operator's status says Ready={} ({}): a moment behind, or it does not run: see kubectl todostack doctor",
            published.status, published.reason
        )
    })
}

/// The condition of a part.
fn condition_of(part: Part) -> ConditionType {
    match part {
        Part::Objects => ConditionType::Ready,
        Part::Credentials => ConditionType::CredentialsValid,
        Part::Storage => ConditionType::StorageReady,
        Part::Database => ConditionType::DatabaseReady,
        Part::Migrations => ConditionType::MigrationsApplied,
        Part::Api => ConditionType::ApiAvailable,
        Part::Exposure => ConditionType::Exposed,
    }
}

/// Conditions as judged here, and as published where what they rest on may not be read.
struct Rows<'a> {
    stack: &'a TodoStack,
    gaps: &'a [Gap],
    verdicts: &'a [Verdict],
    said: &'a [(Part, Found)],
}

impl Rows<'_> {
    fn part(&self, part: Part, seen: &Observed) -> PartReport {
        let forest = Forest { stack: self.stack, seen, gaps: self.gaps };
        let kind = condition_of(part);
        let unjudged = self.gaps.iter().any(|gap| gap.condition() == Some(kind));
        let told = self.said.iter().any(|(about, _)| *about == part);
        let condition = if unjudged || told { self.word(kind) } else { self.judged(kind) };
        let mark = match condition.status.as_str() {
            "True" => Mark::Good,
            "Unknown" => Mark::Unknown,
            _ if passes(&condition.reason) => Mark::Waiting,
            _ => Mark::Bad,
        };
        PartReport { part: report::name(part), mark, condition, objects: tree::objects(forest, part) }
    }

    /// What is found first is the cause; a condition that could not be judged leaves the sum to the operator's word.
    fn ready(&self, findings: &[Finding], parts: &[PartReport]) -> Row {
        let unjudged = self.gaps.iter().any(|gap| gap.condition().is_some());
        let first = findings.first().map(|finding| finding.part);
        let word_first = self
            .said
            .iter()
            .map(|(part, _)| *part)
            .min()
            .is_some_and(|part| first.is_none_or(|it| part < it));
        if word_first || (unjudged && first.is_none() && parts.iter().all(|part| part.condition.is_true())) {
            self.word(ConditionType::Ready)
        } else {
            self.judged(ConditionType::Ready)
        }
    }

    fn judged(&self, kind: ConditionType) -> Row {
        let verdict = self.verdicts.iter().find(|verdict| verdict.condition == kind);
        let (status, reason, message) = match verdict {
            Some(Verdict { status: Status::True, reason, message, .. }) => ("True", *reason, message.clone()),
            Some(Verdict { status: Status::False, reason, message, .. }) => {
                ("False", *reason, message.clone())
            }
            Some(Verdict { status: Status::Unknown, reason, message, .. }) => {
                ("Unknown", *reason, message.clone())
            }
            None => ("Unknown", Reason::NotObserved, String::new()),
        };
        Row {
            type_: kind.as_str().to_owned(),
            status: status.to_owned(),
            reason: reason.as_str().to_owned(),
            message,
        }
    }

    fn word(&self, kind: ConditionType) -> Row {
        match published(self.stack, kind) {
            Some(Condition { status, reason, message, .. }) => Row {
                type_: kind.as_str().to_owned(),
                status: status.clone(),
                reason: reason.clone(),
                message: message.clone(),
            },
            None => Row {
                type_: kind.as_str().to_owned(),
                status: "Unknown".to_owned(),
                reason: Reason::NotObserved.as_str().to_owned(),
                message: "The operator has not said".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
