//! The operator's settings, since defaults of a stack are among them: read from its Deployment, or guessed from what
//! runs where the user may not read that.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::api::apps::v1::Deployment;
use todostack_operator::args::{Args, Config};

use crate::error::Error;

/// The label that the chart gives the operator.
pub(crate) const OPERATOR_SELECTOR: &str = "app.kubernetes.io/name=todostack-operator";

/// The settings of the first operator that can be read.
pub(crate) fn of(operators: &[Arc<Deployment>]) -> Option<Config> {
    operators.iter().find_map(|deployment| of_environment(deployment))
}

fn of_environment(deployment: &Deployment) -> Option<Config> {
    let containers = &deployment.spec.as_ref()?.template.spec.as_ref()?.containers;
    let variables: BTreeMap<&str, &str> = containers
        .iter()
        .flat_map(|container| container.env.iter().flatten())
        .filter_map(|variable| Some((variable.name.as_str(), variable.value.as_deref()?)))
        .collect();
    let args = Args::of_environment(|name| variables.get(name).copied());
    args.ok().map(|args| Config::from(&args))
}

/// The operator's own defaults, with the image that runs in place of the default one.
pub(crate) fn guessed(api_image: Option<String>) -> Result<Config, Error> {
    let args = Args::of_environment(|_| None).map_err(Error::Settings)?;
    let config = Config::from(&args);
    Ok(match api_image {
        Some(api_image) => Config { api_image, ..config },
        None => config,
    })
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
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]);
        let broken = json!([{"name": "TODOSTACK_INGRESS_HTTP_PORT", "value": "eighty"}]);
        let config = of(&[operator(&broken), operator(&env)]).unwrap();
        assert_eq!(config.api_image, "registry.example.com/api:2");
        assert_eq!(config.cluster_domain, "k8s.example.com");
        assert_eq!((config.http_port, config.https_port), (8080, 8443));
    }

    #[test]
    fn without_them_the_image_that_runs_is_the_default_one() {
        assert!(of(&[]).is_none());
        assert_eq!(guessed(Some("api:running".to_owned())).unwrap().api_image, "api:running");
    }
}
