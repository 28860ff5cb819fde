//! Why a command failed: what, where, and what to do. What is wrong with a stack is no error: see
//! `report.rs`.

use todostack_stack::{
    error_chain,
    stack_ref::{Incomplete, StackRef},
};

/// Exit code if a stack is not ready or a check of the cluster failed.
pub(crate) const NOT_READY: u8 = 1;
/// Exit code if the command failed. clap exits with the same for invalid usage.
pub(crate) const FAILED: u8 = 2;

/// Status of a response for a kind that the API server does not serve. Its body is plain text, without a
/// reason.
pub(crate) const NOT_FOUND: u16 = 404;

/// Installs the CRD, in a checkout.
pub(crate) const INSTALL_CRD: &str =
    "helm install todostack-crds charts/todostack-crds --namespace todostack-system --create-namespace";

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to read the kubeconfig: set KUBECONFIG, or pass --kubeconfig and --context")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    #[error("failed to create a client from the kubeconfig: check its certificates and credentials")]
    Client(#[source] Box<kube::Error>),
    #[error("failed to reach the API server of the kubeconfig's context: check it with kubectl cluster-info")]
    Unreachable(#[source] Box<kube::Error>),
    #[error("failed to read {what} {place}: the API server reports: {message}")]
    Rejected { what: String, place: String, message: String },
    #[error(
        "failed to parse {what} {place}: use the version of the plugin that matches the operator: kubectl todostack --version"
    )]
    Unreadable { what: String, place: String, source: Box<kube::Error> },
    #[error(
        "not allowed to list todostacks {0}: pass another --namespace, or ask an administrator for the role view"
    )]
    StacksForbidden(String),
    #[error(
        "the API server does not serve todostacks.todostack.dev: install the CRD, in a checkout: {}",
        INSTALL_CRD
    )]
    NoCrd,
    #[error("TodoStack {name} not found {place}: list all with kubectl get todostacks --all-namespaces")]
    NoStack { name: String, place: String },
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
    #[error("the operator has not published the URL of TodoStack {0} yet: run kubectl todostack doctor")]
    NoUrl(String),
    #[error(
        "TodoStack {0} is not being deleted: to delete it, run kubectl -n {namespace} delete todostack {name}",
        namespace = .0.namespace, name = .0.name
    )]
    NotDeleted(StackRef),
    #[error(
        "TodoStack {0} does not wait for the operator, but for the controllers that remove these finalizers: {1}"
    )]
    OtherFinalizer(StackRef, String),
    #[error("failed to release TodoStack {stack}: the API server reports: {message}")]
    NotReleased { stack: StackRef, message: String },
    #[error("{0}")]
    NoServer(String),
    #[error("failed to run kubectl: check that it is on the PATH")]
    Kubectl(#[source] std::io::Error),
    #[error("failed to write the report")]
    Write(#[source] std::io::Error),
    #[error("failed to write the report as JSON")]
    Json(#[from] serde_json::Error),
    #[error("failed to write the report as YAML")]
    Yaml(#[from] serde_saphyr::ser::Error),
}

impl Error {
    /// Why a request failed. That it is forbidden is no error: see `forbidden.rs`.
    pub(crate) fn read(what: impl Into<String>, place: impl Into<String>, source: kube::Error) -> Self {
        let (what, place) = (what.into(), place.into());
        match source {
            kube::Error::Api(answer) => Self::Rejected { what, place, message: answer.message.clone() },
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
    fn a_source_is_printed_once() {
        let missing = std::io::Error::other("no such file");
        let source = kube::config::KubeconfigError::ReadConfig(missing, "config".into());
        let text = chain(&Error::Kubeconfig(Box::new(source)));
        assert_eq!(text.matches("no such file").count(), 1, "{text}");
    }
}
