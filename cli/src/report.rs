//! What is said of one stack: the shape that every output is written from. How it is found is `examine.rs`.

use jiff::Timestamp;
use serde::Serialize;
use todostack_operator::finding::Part;

/// One stack.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) health: Health,
    /// The sum, as found now.
    pub(crate) ready: Row,
    /// Where the API answers, or will.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Timestamp>,
    /// The parts in the order in which one leads to the next, each with its objects.
    pub(crate) parts: Vec<PartReport>,
    /// What is wrong, most causal first.
    pub(crate) findings: Vec<Found>,
    /// What else to know of it.
    pub(crate) notes: Vec<String>,
    /// What was not looked at, and why.
    pub(crate) unchecked: Vec<&'static str>,
}

/// How a stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Health {
    /// It serves.
    Ready,
    /// It does not yet, and nothing is wrong.
    Starting,
    /// Something is wrong.
    Wrong,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    #[serde(rename = "type")]
    pub(crate) type_: String,
    /// `True`, `False` or `Unknown`.
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Row {
    pub(crate) fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// A part of a stack.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartReport {
    pub(crate) part: &'static str,
    pub(crate) mark: Mark,
    pub(crate) condition: Row,
    pub(crate) objects: Vec<Node>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found {
    pub(crate) part: &'static str,
    pub(crate) object: String,
    pub(crate) reason: String,
    /// What is wrong with the object: a clause that goes on after its name.
    pub(crate) problem: String,
    /// What to do; empty where the problem says it.
    pub(crate) remedy: String,
    /// Where it was seen.
    pub(crate) evidence: String,
}

/// An object of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    /// Kind and name.
    pub(crate) object: String,
    pub(crate) mark: Mark,
    /// In a few words.
    pub(crate) state: String,
    /// More, for wide output.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) details: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<Node>,
}

/// How an object or a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mark {
    Good,
    Waiting,
    Bad,
    /// Not allowed to look.
    Unknown,
}

/// The parts that have a condition, in the order of causality.
pub(crate) const PARTS: [Part; 6] =
    [Part::Credentials, Part::Storage, Part::Database, Part::Migrations, Part::Api, Part::Exposure];

/// A part's name for people.
pub(crate) fn name(part: Part) -> &'static str {
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
