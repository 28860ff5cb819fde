//! Settings of the operator that a stack still has from before an upgrade: as long as the upgrade waits, the
//! stack is resolved with them, and nothing of it changes.

use todostack_crds::TodoStack;

use crate::{
    config::Config,
    names,
    observed::Observed,
    resources::{api_deployment, login_secret},
};

/// None where it is as the settings say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// Image of the API, where the spec names none.
    image: Option<String>,
    /// Domain of the cluster in the host name of a managed database.
    cluster_domain: Option<String>,
}

impl Earlier {
    pub(super) fn new(todostack: &TodoStack, observed: &Observed, config: &Config) -> Self {
        let has_image = todostack.spec.api.as_ref().is_some_and(|api| api.image.is_some());
        let released = observed.deployment.as_deref().and_then(api_deployment::released);
        let image = released.map(|release| release.image).filter(|_| !has_image);
        Self {
            image: image.filter(|image| *image != config.api_image),
            cluster_domain: cluster_domain(todostack, observed)
                .filter(|domain| *domain != config.cluster_domain),
        }
    }

    /// The settings with what the stack has.
    pub fn config(&self, config: &Config) -> Config {
        let Self { image, cluster_domain } = self.clone();
        let mut config = config.clone();
        config.api_image = image.unwrap_or(config.api_image);
        config.cluster_domain = cluster_domain.unwrap_or(config.cluster_domain);
        config
    }
}

/// The domain by which the stored credentials name the managed database.
fn cluster_domain(todostack: &TodoStack, observed: &Observed) -> Option<String> {
    let database = todostack.spec.database.as_ref();
    let is_managed = database.is_none_or(|it| it.external.is_none() && it.sqlite.is_none());
    let stored = observed.next.as_deref().or(observed.app.as_deref()).filter(|_| is_managed)?;
    let (name, namespace) = (todostack.metadata.name.as_ref()?, todostack.metadata.namespace.as_ref()?);
    let host = login_secret::read(stored).login.host;
    let domain = host.strip_prefix(&names::database_host(name, namespace, ""))?;
    (!domain.is_empty()).then(|| domain.to_owned())
}
