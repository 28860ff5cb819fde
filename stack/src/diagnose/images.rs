//! Images that a node cannot pull.

use k8s_openapi::api::core::v1::ContainerStatus;
use kube::ResourceExt as _;
use todostack_crds::Reason;

use super::{Finding, Part, pods::Place};
use crate::resources::migration_job;

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
    let part = image_part(place, container);
    let field = format!("{}.image", part.spec_field());
    let image = &container.image;
    let (problem, remedy) = match reason {
        Reason::InvalidImageName => (
            format!("cannot pull image {image}: the name is invalid"),
            format!("Correct {field}: registry/repository:tag"),
        ),
        Reason::ErrImageNeverPull => (
            format!("cannot pull image {image}: imagePullPolicy is Never, and the node does not have it"),
            match part {
                Part::Database => format!("Load the image onto the nodes, or correct {field}"),
                _ => {
                    format!(
                        "Load the image onto the nodes, set spec.api.imagePullPolicy: IfNotPresent, or correct {field}"
                    )
                }
            },
        ),
        Reason::ImageNotFound => (
            format!("cannot pull image {image}: not found in the registry"),
            format!("Correct name and tag in {field}, or push the image"),
        ),
        Reason::ImagePullUnauthorized => (
            format!("cannot pull image {image}: the registry denied access"),
            format!(
                "Create a Secret: kubectl -n {} create secret docker-registry registry --docker-server=… --docker-username=… --docker-password=…, and set {}.imagePullSecrets: [{{name: registry}}]. Or correct {field}",
                place.pod.namespace().unwrap_or_default(),
                part.spec_field()
            ),
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

/// The remedy of an image that a container cannot run.
pub(super) fn replacement(place: &Place<'_>, container: &ContainerStatus, needed: &str) -> String {
    format!("Set {}.image to an image {needed}", image_part(place, container).spec_field())
}

/// The part whose image a container has: the migration pod has an init container of the database's image.
fn image_part(place: &Place<'_>, container: &ContainerStatus) -> Part {
    if container.name == migration_job::ROLES { Part::Database } else { place.part }
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
