//! Images that a node cannot pull.

use k8s_openapi::api::core::v1::ContainerStatus;
use todostack_crds::Reason;

use super::{Finding, pods::Place};

/// The finding on the image of a waiting container, by the kubelet's reason. None if the reason is about
/// something else.
pub(super) fn finding(
    place: &Place<'_>,
    container: &ContainerStatus,
    waiting: &str,
    message: &str,
) -> Option<Finding> {
    let reason = match waiting {
        "InvalidImageName" => Reason::InvalidImageName,
        "ErrImageNeverPull" => Reason::ErrImageNeverPull,
        "ErrImagePull" | "ImagePullBackOff" => pull_error(message),
        _ => return None,
    };
    let field = format!("{}.image", place.part.spec_field());
    let image = &container.image;
    let (problem, remedy) = match reason {
        Reason::InvalidImageName => (
            format!("cannot pull image {image}: the name is invalid"),
            format!("Correct {field}: registry/repository:tag"),
        ),
        Reason::ErrImageNeverPull => (
            format!("cannot pull image {image}: imagePullPolicy is Never, and the node does not have it"),
            format!("Load it onto the nodes, or set imagePullPolicy next to {field} to IfNotPresent"),
        ),
        Reason::ImageNotFound => (
            format!("cannot pull image {image}: not found in the registry"),
            format!("Correct name and tag in {field}, or push the image"),
        ),
        Reason::ImagePullUnauthorized => (
            format!("cannot pull image {image}: the registry denied access"),
            format!("Add an imagePullSecret for the registry to the ServiceAccount, or correct {field}"),
        ),
        _ => (
            format!("cannot pull image {image}: the node cannot reach the registry"),
            format!(
                "Check the registry's name in {field}, and DNS, proxy and firewall between the node and the registry"
            ),
        ),
    };
    Some(place.finding(container, reason, problem, remedy))
}

/// The cause of a failed pull, by the registry's response as containerd and CRI-O report it.
fn pull_error(message: &str) -> Reason {
    let message = message.to_ascii_lowercase();
    let has_any = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if has_any(&["unauthorized", "access denied", "authorization failed", "denied:", "403 forbidden"]) {
        Reason::ImagePullUnauthorized
    } else if has_any(&["not found", "manifest unknown", "name unknown"])
        && !has_any(&["no such host", "lookup "])
    {
        Reason::ImageNotFound
    } else {
        Reason::ImagePullBackOff
    }
}
