//! Where a change of the API's credentials is: what the server accepts, what pods have. Which credentials are
//! desired is decided in `login.rs`.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use crate::{
    conditions::is_rolled_out,
    credentials::{Change, Login},
    labels::{COMPONENT, Component},
    observed::Observed,
    resources::{api_deployment, login_secret, migration_job, next_secret},
};

/// The change that makes `desired` the credentials of all pods. On a managed server, a new username works
/// beside the earlier one until no pod has that.
pub(super) fn change(desired: &Login, is_managed: bool, observed: &Observed) -> Change {
    let next = observed.next.as_deref();
    let leftover = || if next.is_some() { Change::Finished } else { Change::None };
    // Without the Secret of the pods there is nothing that they could lose.
    let Some(app) = observed.app.as_deref().map(login_secret::read) else { return leftover() };
    if !app.intact || app.login != *desired {
        let username = app.login.username;
        let replaces =
            (is_managed && !username.is_empty() && username != desired.username).then_some(username);
        return Change::Pending { replaces };
    }
    match next.and_then(next_secret::replaces) {
        Some(replaces) if !is_with_all_pods(desired, observed) => Change::RollingOut { replaces },
        Some(_) | None => leftover(),
    }
}

/// Whether a change or a Job has not ended.
pub(super) fn is_busy(observed: &Observed) -> bool {
    let mut jobs = observed.jobs.iter();
    observed.next.is_some() || jobs.any(|job| !migration_job::finished(job))
}

fn is_with_all_pods(login: &Login, observed: &Observed) -> bool {
    let ends = |pod: &Pod| {
        pod.metadata.deletion_timestamp.is_some()
            && pod.labels().get(COMPONENT).is_some_and(|it| it == Component::Api.as_str())
    };
    observed.deployment.as_deref().is_some_and(|deployment| {
        is_rolled_out(deployment)
            && api_deployment::released(deployment).is_some_and(|release| release.revision == login.revision)
    }) && !observed.pods.iter().any(|pod| ends(pod))
}

#[cfg(test)]
mod tests;
