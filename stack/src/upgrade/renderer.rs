//! What renders pod templates: the version and the settings of the operator, as a hash. Two operators with
//! one hash render the same template from the same stack.

use jiff::Timestamp;
use todostack_crds::TodoStack;

use crate::{
    build::{Desired, build},
    config::Config,
    credentials::GeneratedSecrets,
    hash,
    observed::Observed,
    resolve::{Inputs, resolve},
};

/// The hash. Builds of one version with other scripts differ by the objects of a stack without settings.
pub fn renderer(config: &Config) -> String {
    let mut stack = TodoStack::default();
    stack.metadata.name = Some("any".to_owned());
    stack.metadata.namespace = Some("any".to_owned());
    stack.metadata.uid = Some("any".to_owned());
    stack.metadata.generation = Some(1);
    let generated = GeneratedSecrets {
        superuser_password: String::new(),
        app_password: String::new(),
        revision: String::new(),
    };
    let observed = Observed::default();
    let inputs = Inputs {
        observed: &observed,
        generated: &generated,
        config,
        rotate: None,
        now: Timestamp::UNIX_EPOCH,
    };
    let objects = resolve(&stack, inputs).map(|stack| build(&stack)).unwrap_or_default();
    let objects: Vec<_> = objects
        .into_iter()
        .filter_map(|(_, desired)| match desired {
            Desired::Apply(object) => serde_json::to_string(&object).ok(),
            Desired::Keep | Desired::Delete(_) => None,
        })
        .collect();
    let parts = [env!("CARGO_PKG_VERSION"), &format!("{config:?}"), &objects.concat()];
    hash::short(&parts)
}
