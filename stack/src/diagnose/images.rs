//! Images that a node does not get.

use k8s_openapi::api::core::v1::ContainerStatus;
use todostack_crds::Reason;

use super::{Finding, Part, pods::Place};

/// What the kubelet's word for a waiting container says of its image; none when it is about something else.
pub(super) fn finding(
    place: &Place<'_>,
    container: &ContainerStatus,
    word: &str,
    message: &str,
) -> Option<Finding> {
    let reason = match word {
        "InvalidImageName" => Reason::InvalidImageName,
        "ErrImageNeverPull" => Reason::ErrImageNeverPull,
        "ErrImagePull" | "ImagePullBackOff" => pull(message),
        _ => return None,
    };
    let field = if place.part == Part::Database { "spec.database.postgres.image" } else { "spec.api.image" };
    let image = &container.image;
    let (problem, remedy) = match reason {
        Reason::InvalidImageName => (
            format!("has {image} as its image, which is no image name"),
            format!("Correct {field}: registry/repository:tag"),
        ),
        Reason::ErrImageNeverPull => (
            format!("may not pull its image {image}, and the node does not have it"),
            format!("Bring it to the nodes, or set imagePullPolicy to IfNotPresent beside {field}"),
        ),
        Reason::ImageNotFound => (
            format!("cannot have its image {image}: the registry has none of this name and tag"),
            format!("Correct {field}, or push the image"),
        ),
        Reason::ImagePullUnauthorized => (
            format!("cannot have its image {image}: the registry does not give it to this cluster"),
            format!("Give the ServiceAccount an imagePullSecret for the registry, or correct {field}"),
        ),
        _ => (
            format!("cannot have its image {image}: the node does not reach the registry"),
            format!("Check the registry's name in {field}, and the node's way to it"),
        ),
    };
    Some(place.finding(container, reason, problem, remedy))
}

/// The registry's answer, as containerd and CRI-O pass it on.
fn pull(message: &str) -> Reason {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["unauthorized", "access denied", "authorization failed", "denied:", "403 forbidden"]) {
        Reason::ImagePullUnauthorized
    } else if says(&["not found", "manifest unknown", "name unknown"]) && !says(&["no such host", "lookup "])
    {
        Reason::ImageNotFound
    } else {
        Reason::ImagePullBackOff
    }
}
