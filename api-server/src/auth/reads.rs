//! How often the keys of the issuer were read, for metrics. What reads them is `keys`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

#[derive(Debug, Default)]
pub(super) struct Reads(Family<Labels, Counter>);

impl Reads {
    pub(super) fn count(&self, has_succeeded: bool) {
        let outcome = if has_succeeded { "success" } else { "failure" };
        self.0.get_or_create(&Labels { outcome }).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Attempts to read the JWKS of the issuer; after a failure, the cached keys stay in use";
        registry.register("todostack_api_jwks_reads", help, self.0.clone());
    }
}
