//! Why a command has no answer: what, where, and what to do.

use todostack_stack::{error_chain, stack_ref::Incomplete};

/// Exit code of "something is wrong".
pub(crate) const WRONG: u8 = 1;
/// Exit code of "no answer"; clap ends with the same for usage.
pub(crate) const NO_ANSWER: u8 = 2;

/// What the API server says of a kind that it does not serve: in plain text, without a reason.
pub(crate) const NOT_FOUND: u16 = 404;

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to read the kubeconfig: set KUBECONFIG, or pass --kubeconfig and --context")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    #[error("failed to make a client of the kubeconfig")]
    Client(#[source] Box<kube::Error>),
    #[error(
        "failed to reach the API server: is the one of the kubeconfig's context up? kubectl cluster-info"
    )]
    Unreachable(#[source] Box<kube::Error>),
    #[error("failed to read {what} {place}: the API server says: {words}")]
    Refused { what: String, place: String, words: String },
    #[error(
        "failed to read {what} {place}: is the plugin as new as the operator? kubectl todostack --version"
    )]
    Unreadable { what: String, place: String, source: Box<kube::Error> },
    #[error(
        "not allowed to list TodoStacks {0}: name a namespace of yours with --namespace, or ask for the role view there"
    )]
    StacksForbidden(String),
    #[error(
        "the cluster does not know TodoStacks: install the definition: helm install todostack-crds oci://ghcr.io/todostack/charts/todostack-crds --namespace todostack-system --create-namespace"
    )]
    NoCrd,
    #[error("there is no TodoStack {name} {place}: see kubectl get todostacks --all-namespaces")]
    NoStack { name: String, place: String },
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    #[error("the operator has not published a URL of {0} yet: see kubectl todostack doctor")]
    NoUrl(String),
    #[error("{0}")]
    NoServer(String),
    #[error("failed to run kubectl: is it on the PATH?")]
    Kubectl(#[source] std::io::Error),
    #[error("failed to write the report")]
    Write(#[source] std::io::Error),
    #[error("failed to write the report as JSON")]
    Json(#[from] serde_json::Error),
    #[error("failed to write the report as YAML")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

impl Error {
    /// Why something could not be read. That it may not be read is no error: see `forbidden.rs`.
    pub(crate) fn read(what: impl Into<String>, place: impl Into<String>, source: kube::Error) -> Self {
        let (what, place) = (what.into(), place.into());
        match source {
            kube::Error::Api(answer) => Self::Refused { what, place, words: answer.message.clone() },
            source @ kube::Error::SerdeError(_) => Self::Unreadable { what, place, source: Box::new(source) },
            source => Self::Unreachable(Box::new(source)),
        }
    }
}

/// An error with its sources, one on each line.
pub(crate) fn chain(error: &Error) -> String {
    error_chain::messages(error).join("\n  caused by: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let missing = std::io::Error::other("no such file");
        let source = kube::config::KubeconfigError::ReadConfig(missing, "config".into());
        let text = chain(&Error::Kubeconfig(Box::new(source)));
        assert_eq!(text.matches("no such file").count(), 1, "{text}");
    }
}
