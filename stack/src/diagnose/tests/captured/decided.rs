//! Which reasons have a capture, and why the others do not. A new cause needs a capture, or a reason here why
//! not.

use todostack_crds::{Class, Reason};

// Why there is no capture with the reason as the cause in `Ready`. None: there must be one.
pub(super) fn why_not_captured(reason: Reason) -> Option<&'static str> {
    match (reason.class(), reason) {
        // Conditions have them while a stack progresses, but they are the cause in `Ready` on a real cluster
        // too.
        (Class::Waiting, Reason::VolumePending | Reason::AddressPending) => None,
        (Class::Good | Class::Inactive | Class::Waiting, _) => Some("it is no cause"),
        (Class::Warning, _) => Some("the stack is Ready; the condition of its part has the warning"),
        (Class::Problem, Reason::TlsSecretInvalid) => {
            Some("a capture masks the values of Secrets, and the certificate is one")
        }
        (Class::Problem, Reason::ApplyFailed | Reason::ObserveFailed) => {
            Some("a capture holds objects, and the cause is a response of the API server")
        }
        (Class::Problem, Reason::VolumeMismatch) => {
            Some("its symptoms are tables in resolve/storage and diagnose/retention")
        }
        (Class::Problem, Reason::PoolerIncompatible) => {
            Some("the test cluster has no image of a pooler; its symptoms are a table in diagnose/unreached")
        }
        (Class::Problem, Reason::JwksCaInvalid) => Some("its symptoms are a table in resolve/jwks_ca"),
        (Class::Problem, Reason::ExportNotAllowed | Reason::HostNotAllowed | Reason::ClusterAccessNeeded) => {
            Some("a capture holds objects, and the cause is a setting of the operator")
        }
        (Class::Problem, Reason::VolumeNotLockable) => {
            Some("the report of the script and its finding are tables in diagnose/preflight")
        }
        (Class::Problem, Reason::SpecInvalid) => Some("such a stack cannot be read"),
        (Class::Problem, _) => None,
    }
}
