//! `Finding`: one diagnosed problem of a stack. Findings come from `diagnose/`, or from `resolve/` for what
//! the spec references; conditions, Events and the plugin carry them as they are.

use k8s_openapi::api::core::v1::ObjectReference;
use todostack_crds::Reason;

use crate::part::Part;

/// What a finding means for the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The part works; a user should know.
    Warning,
    /// The part does not work and recovers without a change by a user.
    Transient,
    /// The part does not work until a user changes something.
    Blocking,
}

/// One problem: what is wrong with which object, why, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The part of the stack that is affected.
    pub part: Part,
    pub object: String,
    pub reason: Reason,
    /// What is wrong with the object: a clause whose subject is `object`.
    pub problem: String,
    /// What to do: the field to change or the command to run.
    pub remedy: String,
    /// Where the problem shows. It may hold names that change by themselves, so no condition contains it.
    pub evidence: String,
    /// The object that an Event points to, if it exists.
    pub related: Option<ObjectReference>,
    pub severity: Severity,
}

impl Finding {
    /// A blocking problem of `object`, still without its description.
    pub fn new(part: Part, reason: Reason, object: impl Into<String>) -> Self {
        Self {
            part,
            object: object.into(),
            reason,
            problem: String::new(),
            remedy: String::new(),
            evidence: String::new(),
            related: None,
            severity: Severity::Blocking,
        }
    }
    pub fn problem(self, problem: impl Into<String>) -> Self {
        Self { problem: one_line(&problem.into()), ..self }
    }
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: one_line(&remedy.into()), ..self }
    }

    pub fn evidence(self, evidence: impl Into<String>) -> Self {
        Self { evidence: evidence.into(), ..self }
    }

    /// The problem shows in the spec and the objects that the spec references.
    pub fn evident_in_spec(self) -> Self {
        self.evidence("the spec, and the objects that it references")
    }

    /// Sets the object that an Event points to.
    pub fn related(self, related: impl Into<Option<ObjectReference>>) -> Self {
        Self { related: related.into(), ..self }
    }
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Whether the stack works in spite of the finding.
    pub fn is_warning(&self) -> bool {
        self.severity == Severity::Warning
    }

    /// The sentence for conditions and Events.
    pub fn message(&self) -> String {
        format!("{} {}. {}", self.object, self.problem, self.remedy)
    }
}

/// Conditions, Events and `kubectl get` show a message on one line, whatever it quotes.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
