//! What the user may not read: what is not checked therefore, and which conditions are shown as the operator
//! reported them. What takes the place of such objects is in `placeholders.rs`.

use strum::IntoEnumIterator as _;
use todostack_crds::ConditionType;
use todostack_stack::managed::{Kind, ManagedResource};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forbidden {
    Managed(Kind),
    /// The ConfigMaps that the spec references.
    ConfigMaps,
    Pods,
    Events,
    StorageClasses,
    IngressClasses,
    /// The Deployment of the operator, which holds its settings.
    Operator,
}

impl Forbidden {
    pub(crate) fn note(self) -> String {
        match self {
            Self::Managed(kind) => {
                let shown =
                    |it: ConditionType| format!("{} is shown as the operator reported it", it.as_str());
                let effect = self.condition().map_or_else(|| "they are not checked".to_owned(), shown);
                format!("not allowed to list {}: {effect}", plural(kind.into()))
            }
            Self::ConfigMaps => {
                "not allowed to get ConfigMaps: those that the spec references are not checked".to_owned()
            }
            Self::Pods => "not allowed to list Pods: why they are not ready is not checked".to_owned(),
            Self::Events => {
                "not allowed to list Events: failed mounts and rejected pods are not diagnosed".to_owned()
            }
            Self::StorageClasses => classes("StorageClasses"),
            Self::IngressClasses => classes("IngressClasses"),
            Self::Operator => "cannot read the operator's settings from its Deployment: a stack without \
                               spec.api.image is assumed to want the image that it runs"
                .to_owned(),
        }
    }

    /// The condition that cannot be evaluated without these objects.
    pub(crate) fn condition(self) -> Option<ConditionType> {
        let Self::Managed(kind) = self else { return None };
        match kind {
            // Only findings depend on them.
            Kind::ServiceAccount | Kind::PersistentVolume | Kind::PodDisruptionBudget => None,
            _ => {
                // Of the Services, only the API's has a status.
                let resources = ManagedResource::iter().filter(|resource| resource.kind() == kind);
                resources.map(|resource| resource.part().condition()).max()
            }
        }
    }
}

fn classes(kinds: &str) -> String {
    format!("not allowed to list {kinds}: findings about them are those that the operator reported")
}

fn plural(kind: &str) -> String {
    let suffix = if kind.ends_with('s') { "es" } else { "s" };
    format!("{kind}{suffix}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Kind::Secret, "Secrets: CredentialsValid is shown as the operator reported it")]
    #[case(Kind::Service, "Services: Exposed is shown as the operator reported it")]
    #[case(Kind::Ingress, "Ingresses: Exposed is shown as the operator reported it")]
    #[case(Kind::PersistentVolume, "PersistentVolumes: they are not checked")]
    fn a_note_names_the_kind_and_the_condition_that_depends_on_it(#[case] kind: Kind, #[case] note: &str) {
        assert_eq!(Forbidden::Managed(kind).note(), format!("not allowed to list {note}"));
    }
}
