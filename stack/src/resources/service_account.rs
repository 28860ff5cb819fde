//! The ServiceAccount of all pods. It has no permissions and mounts no token, unlike the namespace's default
//! account.

use k8s_openapi::api::core::v1::ServiceAccount;

use crate::{
    build::Desired,
    labels::{self, Component},
    names,
    stack::Stack,
};

pub(crate) fn desired(stack: &Stack) -> Desired {
    Desired::apply(Some(build(stack)))
}

pub(super) fn build(stack: &Stack) -> ServiceAccount {
    ServiceAccount {
        metadata: labels::owned(stack, names::service_account(&stack.id.name), Component::Api),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
