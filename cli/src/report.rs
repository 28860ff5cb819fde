//! The report on one stack, from which every output is written. Its content is decided in `examine.rs`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1;
use serde::{Serialize, Serializer};
use todostack_crds::{ConditionType, Reason};
use todostack_stack::{conditions::Verdict, part::Part};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) health: Health,
    pub(crate) ready: Condition,
    /// URL of the API, whether it is ready or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Timestamp>,
    /// In the order of causality.
    pub(crate) parts: Vec<PartReport>,
    /// What is wrong, root cause first.
    pub(crate) findings: Vec<FindingReport>,
    /// What else a user should know.
    pub(crate) notes: Vec<String>,
    /// What was not checked, and why.
    pub(crate) unchecked: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Health {
    Ready,
    /// Not ready yet, and nothing is wrong.
    Starting,
    /// Not ready, because the spec desires no API pod.
    ScaledToZero,
    Wrong,
}

/// A condition, as evaluated here or as the operator reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    pub(crate) type_: String,
    /// `True`, `False` or `Unknown`.
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Condition {
    pub(crate) fn is_true(&self) -> bool {
        self.status == "True"
    }

    pub(crate) fn unknown(condition: ConditionType, message: &str) -> Self {
        Self {
            type_: condition.as_str().to_owned(),
            status: "Unknown".to_owned(),
            reason: Reason::NotObserved.as_str().to_owned(),
            message: message.to_owned(),
        }
    }
}

impl From<&Verdict> for Condition {
    fn from(verdict: &Verdict) -> Self {
        let Verdict { condition, status, reason, message, cause: _ } = verdict;
        Self {
            type_: condition.as_str().to_owned(),
            status: status.as_str().to_owned(),
            reason: reason.as_str().to_owned(),
            message: message.clone(),
        }
    }
}

impl From<&v1::Condition> for Condition {
    fn from(condition: &v1::Condition) -> Self {
        let v1::Condition { type_, status, reason, message, .. } = condition.clone();
        Self { type_, status, reason, message }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct PartReport {
    #[serde(serialize_with = "serialize_part")]
    pub(crate) part: Part,
    pub(crate) mark: Mark,
    pub(crate) condition: Condition,
    pub(crate) objects: Vec<Node>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct FindingReport {
    #[serde(serialize_with = "serialize_part")]
    pub(crate) part: Part,
    pub(crate) object: String,
    pub(crate) reason: String,
    /// A clause whose subject is `object`.
    pub(crate) problem: String,
    /// Empty where the problem contains it.
    pub(crate) remedy: String,
    pub(crate) evidence: String,
}

/// An object of a stack, with the objects that it controls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Node {
    /// Kind and name.
    pub(crate) object: String,
    pub(crate) mark: Mark,
    /// Such as `1/1 ready`.
    pub(crate) state: String,
    /// Added in wide output.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) details: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<Node>,
}

/// The state of an object, a part or a check at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mark {
    Good,
    Waiting,
    Bad,
    /// The user may not read it.
    Unknown,
}

pub(crate) fn part_name(part: Part) -> &'static str {
    match part {
        Part::Objects => "Objects",
        Part::Credentials => "Credentials",
        Part::Storage => "Storage",
        Part::Database => "Database",
        Part::Migrations => "Migrations",
        Part::Api => "API",
        Part::Exposure => "Exposure",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn serialize_part<S: Serializer>(part: &Part, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(part_name(*part))
}
