//! The account of all pods: it has no right and no token, so that none of the namespace's default account's is lent.

use k8s_openapi::api::core::v1::ServiceAccount;

use crate::{
    build::Desired,
    labels::{self, Component},
    names,
    stack::Stack,
};

/// Its desired state.
pub(crate) fn desired(stack: &Stack) -> Desired {
    Desired::apply(Some(build(stack)))
}

/// Builds it.
#[must_use]
pub fn build(stack: &Stack) -> ServiceAccount {
    ServiceAccount {
        metadata: labels::owned(stack, names::service_account(&stack.id.name), Component::Api),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
