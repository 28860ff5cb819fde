//! The operator's settings, which contain the defaults of a stack: read from its Deployment, or assumed where
//! that cannot be read.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::api::apps::v1::Deployment;
use todostack_stack::{allowed::AllowedExports, config::Config, stack::Release};

/// The label that the chart gives the operator.
pub(crate) const OPERATOR_SELECTOR: &str = "app.kubernetes.io/name=todostack-operator";

/// The settings of the first operator whose settings are valid.
pub(crate) fn from_deployments(operators: &[Arc<Deployment>]) -> Option<Config> {
    // Several operators may run, each for its own namespaces. Their defaults rarely differ.
    operators.iter().find_map(|deployment| from_deployment(deployment))
}

fn from_deployment(deployment: &Deployment) -> Option<Config> {
    let containers = &deployment.spec.as_ref()?.template.spec.as_ref()?.containers;
    let variables: BTreeMap<&str, &str> = containers
        .iter()
        .flat_map(|container| container.env.iter().flatten())
        .filter_map(|variable| Some((variable.name.as_str(), variable.value.as_deref()?)))
        .collect();
    Config::from_variables(|name| variables.get(name).copied()).ok()
}

/// The default settings, with the image that runs in place of the default one. What is not allowed, the
/// operator reported.
pub(crate) fn assumed(running: Option<Release>) -> Config {
    let default = Config { allowed_exports: AllowedExports::all(), ..Config::default() };
    match running {
        Some(Release { image, revision: _ }) => Config { api_image: image, ..default },
        None => default,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operator(env: &serde_json::Value) -> Arc<Deployment> {
        let spec =
            json!({"selector": {}, "template": {"spec": {"containers": [{"name": "operator", "env": env}]}}});
        Arc::new(serde_json::from_value(json!({"spec": spec})).unwrap())
    }

    #[test]
    fn the_settings_are_those_of_the_operators_environment() {
        let env = json!([
            {"name": "TODOSTACK_API_IMAGE", "value": "registry.example.com/api:2"},
            {"name": "TODOSTACK_POSTGRES_REPOSITORY", "value": "registry.example.com/postgres"},
            {"name": "TODOSTACK_CLUSTER_DOMAIN", "value": "k8s.example.com"},
            {"name": "TODOSTACK_INGRESS_HTTP_PORT", "value": "8080"},
            {"name": "TODOSTACK_INGRESS_HTTPS_PORT", "value": "8443"},
            {"name": "TODOSTACK_ALLOWED_NFS_EXPORTS", "value": "nas:/exports/{namespace},*"},
            {"name": "TODOSTACK_ALLOWED_HOSTS", "value": "*.{namespace}.example.com"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]);
        let invalid = json!([{"name": "TODOSTACK_INGRESS_HTTP_PORT", "value": "eighty"}]);
        let config = from_deployments(&[operator(&invalid), operator(&env)]).unwrap();
        assert_eq!(config.api_image, "registry.example.com/api:2");
        assert_eq!(config.cluster_domain, "k8s.example.com");
        assert_eq!((config.http_port, config.https_port), (8080, 8443));
        assert_eq!(config.allowed_exports, "nas:/exports/{namespace},*".parse().unwrap());
        assert_eq!(config.allowed_hosts, "*.{namespace}.example.com".parse().unwrap());
    }

    #[test]
    fn without_them_the_image_that_runs_is_the_default_one() {
        assert!(from_deployments(&[]).is_none());
        let running = Release { image: "api:running".to_owned(), revision: String::new() };
        assert_eq!(assumed(Some(running)).api_image, "api:running");
    }
}
