//! Which Secrets and ConfigMaps of the user's a spec names, and whether it names a given Secret.

use kube::api::ObjectMeta;
use todostack_crds::{TodoStack, spec::TodoStackSpec};

/// The names in a spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References<'a> {
    /// `spec.database.postgres.credentialsSecret`.
    pub credentials: Option<&'a str>,
    /// `spec.database.external.secret`.
    pub external: Option<&'a str>,
    /// `spec.exposure.ingress.tls`.
    pub tls: Option<&'a str>,
    /// `spec.database.postgres.initScripts`, a ConfigMap.
    pub init_scripts: Option<&'a str>,
}

/// The names in a spec.
#[must_use]
pub fn of(spec: &TodoStackSpec) -> References<'_> {
    let database = spec.database.as_ref();
    let postgres = database.and_then(|database| database.postgres.as_ref());
    References {
        credentials: postgres.and_then(|p| p.credentials_secret.as_ref()).map(|secret| secret.name.as_str()),
        external: database.and_then(|d| d.external.as_ref()).map(|external| external.secret.name.as_str()),
        tls: spec
            .exposure
            .as_ref()
            .and_then(|exposure| exposure.ingress.as_ref())
            .and_then(|ingress| ingress.tls.as_ref())
            .map(|tls| tls.secret_name.as_str()),
        init_scripts: postgres
            .and_then(|p| p.init_scripts.as_ref())
            .map(|scripts| scripts.config_map.name.as_str()),
    }
}

/// Whether a stack names a Secret.
#[must_use]
pub fn names(stack: &TodoStack, secret: &ObjectMeta) -> bool {
    let References { credentials, external, tls, init_scripts: _ } = of(&stack.spec);
    stack.metadata.namespace == secret.namespace
        && secret.name.as_deref().is_some_and(|name| [credentials, external, tls].contains(&Some(name)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::its_own("a", "pg", true)]
    #[case::another("a", "other", false)]
    #[case::elsewhere("b", "pg", false)]
    fn a_secret_concerns_the_stacks_of_its_namespace_that_name_it(
        #[case] namespace: &str,
        #[case] named: &str,
        #[case] concerned: bool,
    ) {
        let spec = serde_json::json!({"database": {"external": {"secret": {"name": named}}}});
        let mut stack = TodoStack::new("shop", serde_json::from_value(spec).unwrap());
        stack.metadata.namespace = Some(namespace.into());
        let secret =
            ObjectMeta { name: Some("pg".into()), namespace: Some("a".into()), ..ObjectMeta::default() };
        assert_eq!(names(&stack, &secret), concerned);
    }
}
