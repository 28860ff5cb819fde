//! From what was read of a stack to its report, by the operator's own functions: `resolve`, `diagnose` and
//! `evaluate` of the conditions. Pure. What only the operator knows, such as rejected writes and stacks in
//! other namespaces, is taken from the status that it published.

use jiff::Timestamp;
use kube::ResourceExt as _;
use strum::IntoEnumIterator as _;
use todostack_crds::{Class, ConditionType, Reason, TodoStack};
use todostack_stack::{
    applied::Applied,
    conditions::{self, Verdict, View},
    credentials::GeneratedSecrets,
    diagnose::{self, Evidence},
    finding::Finding,
    managed::Kind,
    part::Part,
    resolve::{self, Inputs},
    resources::api_deployment,
    stack::Stack,
    stack_ref::Incomplete,
};

use crate::{
    forbidden::Forbidden,
    report::{Condition, FindingReport, Health, Mark, PartReport, Report},
    snapshot::Snapshot,
    tree,
};

/// Resolves a stack. If Secrets may not be listed, the credentials are assumed to be those of the API's pods.
pub(crate) fn resolve(snapshot: &Snapshot, now: Timestamp) -> Result<Stack, Incomplete> {
    let Snapshot { stack, observed, forbidden, config } = snapshot;
    let is_unread = observed.app.is_none() && forbidden.contains(&Forbidden::Managed(Kind::Secret));
    let running = observed.deployment.as_deref().filter(|_| is_unread).and_then(api_deployment::released);
    // Nothing is written, so that new credentials need no random values.
    let generated = GeneratedSecrets {
        superuser_password: String::new(),
        app_password: String::new(),
        revision: running.map(|release| release.revision).unwrap_or_default(),
    };
    // The credentials are those that exist, whether or not a rotation is due.
    let inputs = Inputs { observed, generated: &generated, config, rotate: None, now };
    let resolved = resolve::resolve(stack, inputs)?;
    if snapshot.pending_upgrade().is_none() {
        return Ok(resolved);
    }
    resolve::resolve(stack, Inputs { config: &resolved.upgrade.earlier.config(config), ..inputs })
}

pub(crate) fn examine(snapshot: &Snapshot, now: Timestamp) -> Result<Report, Incomplete> {
    let Snapshot { stack, observed, forbidden, config: _ } = snapshot;
    let resolved = resolve(snapshot, now)?;
    // Nothing was applied here. Rejected writes are known from the published conditions.
    let applied = Applied::default();
    let findings = diagnose::diagnose(Evidence { stack: &resolved, observed, applied: &applied, now });
    let verdicts = conditions::evaluate(View { stack: &resolved, observed, findings: &findings });
    // A warning is the reason of a condition that is true. As a finding it would make a ready stack look
    // broken.
    let problems: Vec<_> = findings.iter().filter(|finding| !finding.is_warning()).collect();
    let reported = reported(snapshot, &problems);
    let conditions = Conditions { snapshot, verdicts: &verdicts, reported: &reported };
    let parts: Vec<_> =
        Part::iter().filter(|part| *part != Part::Objects).map(|part| conditions.part(part)).collect();
    let ready = conditions.ready(&parts);
    // Of two findings on one part, the reported one is first: it hides the condition that was evaluated here.
    let mut findings = reported;
    findings.extend(problems.into_iter().map(finding_report));
    findings.sort_by_key(|finding| finding.part);
    Ok(Report {
        namespace: resolved.id.namespace,
        name: resolved.id.name,
        health: health(snapshot, &ready, &findings),
        url: stack.status.as_ref().and_then(|status| status.url.clone()),
        created: stack.metadata.creation_timestamp.as_ref().map(|time| time.0),
        parts,
        findings,
        notes: notes(snapshot, &ready),
        ready,
        unchecked: forbidden.iter().map(|forbidden| forbidden.note()).collect(),
    })
}

/// Ready if the stack is ready now and the operator reported so for the current spec: other programs rely on
/// the status.
fn health(snapshot: &Snapshot, ready: &Condition, findings: &[FindingReport]) -> Health {
    let is_published = snapshot.published(ConditionType::Ready).is_some_and(|it| it.status == "True");
    match (findings.is_empty(), ready.is_true() && is_published && snapshot.is_status_current()) {
        (true, true) => Health::Ready,
        (true, false) if ready.reason == Reason::ScaledToZero.as_str() => Health::ScaledToZero,
        (true, false) => Health::Starting,
        (false, _) => Health::Wrong,
    }
}

fn finding_report(finding: &Finding) -> FindingReport {
    let Finding { part, object, reason, problem, remedy, evidence, related: _, severity: _ } = finding;
    FindingReport {
        part: *part,
        object: object.clone(),
        reason: reason.as_str().to_owned(),
        problem: problem.clone(),
        remedy: remedy.clone(),
        evidence: evidence.clone(),
    }
}

/// Problems that the operator reported and that were not found here.
fn reported(snapshot: &Snapshot, problems: &[&Finding]) -> Vec<FindingReport> {
    let mut reported: Vec<FindingReport> = Vec::new();
    // `Ready` last: it is compared with the reasons of the parts.
    let parts = Part::iter().filter(|part| *part != Part::Objects);
    for part in parts.chain([Part::Objects]) {
        let published = snapshot.published(part.condition());
        let Some(condition) = published.filter(|it| it.status == "False" && !is_transient(&it.reason)) else {
            continue;
        };
        let is_found = problems.iter().any(|finding| finding.reason.as_str() == condition.reason);
        // `Ready` has the reason of its root cause.
        let is_repeated = part == Part::Objects && reported.iter().any(|it| it.reason == condition.reason);
        if !is_found && !is_repeated {
            reported.push(FindingReport {
                part,
                object: "The operator".to_owned(),
                reason: condition.reason.clone(),
                problem: format!("reports: {}", condition.message),
                remedy: String::new(),
                evidence: format!("condition {} of TodoStack {}", condition.type_, snapshot.stack.name_any()),
            });
        }
    }
    reported
}

/// Whether a condition that is false becomes true without a change by a user.
fn is_transient(reason: &str) -> bool {
    Reason::parse(reason).is_some_and(|reason| matches!(reason.class(), Class::Inactive | Class::Waiting))
}

fn notes(snapshot: &Snapshot, ready: &Condition) -> Vec<String> {
    let TodoStack { metadata, spec, .. } = &snapshot.stack;
    let paused = spec
        .paused
        .then(|| "spec.paused is true: the operator makes no changes until it is false".to_owned());
    let deleted = metadata.deletion_timestamp.is_some().then(|| "the stack is being deleted".to_owned());
    let pending = snapshot.pending_upgrade().map(|condition| condition.message.clone());
    paused.into_iter().chain(deleted).chain(pending).chain(outdated(snapshot, ready)).collect()
}

/// What to know when the status differs from what was found.
fn outdated(snapshot: &Snapshot, ready: &Condition) -> Option<String> {
    if !snapshot.is_status_current() {
        return Some(
            "the operator has not reconciled this spec yet: if this persists, run kubectl todostack doctor"
                .to_owned(),
        );
    }
    // Statuses only: reasons differ for a moment whenever something changes.
    let published = snapshot.published(ConditionType::Ready)?;
    (published.status != ready.status).then(|| {
        format!(
            "the operator reported Ready={} ({}): if this persists, it is not running: run kubectl todostack doctor",
            published.status, published.reason
        )
    })
}

/// Conditions as evaluated here, or as the operator reported them where the user may not read what they
/// depend on.
struct Conditions<'a> {
    snapshot: &'a Snapshot,
    verdicts: &'a [Verdict],
    reported: &'a [FindingReport],
}

impl Conditions<'_> {
    fn part(&self, part: Part) -> PartReport {
        let kind = part.condition();
        let is_hidden = self.snapshot.forbidden.iter().any(|forbidden| forbidden.condition() == Some(kind));
        let is_reported = self.reported.iter().any(|finding| finding.part == part);
        let condition = if is_hidden || is_reported { self.published(kind) } else { self.evaluated(kind) };
        // The status does not say it: a part that starts and a part that is broken are both false.
        let mark = match condition.status.as_str() {
            "True" => Mark::Good,
            "Unknown" => Mark::Unknown,
            _ if is_transient(&condition.reason) => Mark::Waiting,
            _ => Mark::Bad,
        };
        PartReport { part, mark, condition, objects: tree::objects(self.snapshot, part) }
    }

    /// The condition `Ready` of the root cause: the operator's, if it reported a problem of an earlier part,
    /// or if something that may not be read can be the only problem.
    fn ready(&self, parts: &[PartReport]) -> Condition {
        let verdict = self.verdict(ConditionType::Ready);
        let found = verdict.and_then(|verdict| Some(verdict.cause.as_ref()?.part));
        let reported = self.reported.iter().map(|finding| finding.part).min();
        let is_reported_first = reported.is_some_and(|reported| found.is_none_or(|found| reported < found));
        let is_hidden = self.snapshot.forbidden.iter().any(|forbidden| forbidden.condition().is_some());
        let is_good = found.is_none() && parts.iter().all(|part| part.condition.is_true());
        if is_reported_first || (is_hidden && is_good) {
            self.published(ConditionType::Ready)
        } else {
            self.evaluated(ConditionType::Ready)
        }
    }

    fn verdict(&self, condition: ConditionType) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.condition == condition)
    }

    fn evaluated(&self, condition: ConditionType) -> Condition {
        self.verdict(condition).map_or_else(|| Condition::unknown(condition, ""), Condition::from)
    }

    fn published(&self, condition: ConditionType) -> Condition {
        let unknown = || Condition::unknown(condition, "The operator has not reported this condition");
        self.snapshot.published(condition).map_or_else(unknown, Condition::from)
    }
}

#[cfg(test)]
mod tests;
