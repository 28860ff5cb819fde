//! The annotations that say how an object's pod template came about. What follows from them is decided in
//! `upgrade.rs`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Annotation with a hash of the pod template.
const TEMPLATE: &str = "todostack.dev/template";
/// Annotation with a hash of what rendered the template: version and settings of the operator.
const RENDERED_BY: &str = "todostack.dev/rendered-by";
/// Annotation with a hash of the fields of the spec that the template was rendered from.
const INPUTS: &str = "todostack.dev/template-inputs";
/// Annotation of an object whose pod template an upgrade changed last, and of the Job before.
pub(super) const UPGRADE: &str = "todostack.dev/upgrade";

/// What is known of an object's template beside the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rendering {
    pub(super) template: String,
    pub(super) renderer: String,
    pub(super) inputs: String,
    pub(super) is_upgrade: bool,
}

impl Rendering {
    pub(super) fn read(metadata: &ObjectMeta) -> Self {
        let annotation = |key: &str| {
            metadata
                .annotations
                .as_ref()
                .and_then(|annotations| annotations.get(key))
                .cloned()
                .unwrap_or_default()
        };
        Self {
            template: annotation(TEMPLATE),
            renderer: annotation(RENDERED_BY),
            inputs: annotation(INPUTS),
            is_upgrade: is_marked(metadata),
        }
    }

    pub(super) fn annotations(self) -> BTreeMap<String, String> {
        let Self { template, renderer, inputs, is_upgrade } = self;
        let mut annotations = BTreeMap::from([
            (TEMPLATE.to_owned(), template),
            (RENDERED_BY.to_owned(), renderer),
            (INPUTS.to_owned(), inputs),
        ]);
        if is_upgrade {
            annotations.extend([mark()]);
        }
        annotations
    }
}

pub(super) fn mark() -> (String, String) {
    (UPGRADE.to_owned(), "true".to_owned())
}

pub(super) fn is_marked(metadata: &ObjectMeta) -> bool {
    metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(UPGRADE))
}
