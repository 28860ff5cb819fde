//! The checks of `doctor` on what stacks need of a cluster: CRD, operator, default classes, DNS. Pure:
//! requests are in `cluster/read.rs`.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::Deployment, core::v1::Pod, networking::v1::IngressClass, storage::v1::StorageClass,
};
use kube::ResourceExt as _;
use todostack_stack::diagnose::{DEFAULT_INGRESS_CLASS, DEFAULT_STORAGE_CLASS};

use crate::{error::INSTALL_CRD, report::Mark};

pub(crate) mod read;

/// What the checks read. None where the user may not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster {
    /// Whether the API server serves `todostacks`.
    pub(crate) crd: bool,
    pub(crate) operators: Option<Vec<Arc<Deployment>>>,
    pub(crate) storage_classes: Option<Vec<Arc<StorageClass>>>,
    pub(crate) ingress_classes: Option<Vec<Arc<IngressClass>>>,
    pub(crate) dns: Option<Vec<Arc<Pod>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// `Waiting` is a warning: some stacks work without it.
    pub(crate) mark: Mark,
    pub(crate) state: String,
    /// What to do. Empty if there is nothing to do.
    pub(crate) remedy: String,
}

impl Check {
    fn new(name: &'static str, mark: Mark, state: impl Into<String>, remedy: &str) -> Self {
        Self { name, mark, state: state.into(), remedy: remedy.to_owned() }
    }

    /// `what` are the objects that `check` reads, `None` if the user may not list them.
    fn of_listed<K>(
        name: &'static str,
        what: &str,
        objects: Option<&[Arc<K>]>,
        check: fn(&'static str, &[Arc<K>]) -> Self,
    ) -> Self {
        let forbidden = || format!("not allowed to list {what}: not checked");
        objects.map_or_else(|| Self::new(name, Mark::Unknown, forbidden(), ""), |it| check(name, it))
    }
}

pub(crate) fn checks(cluster: &Cluster) -> Vec<Check> {
    let Cluster { crd, operators, storage_classes, ingress_classes, dns } = cluster;
    let operators = operators.as_deref();
    vec![
        self::crd(*crd),
        Check::of_listed("Operator", "Deployments in all namespaces", operators, operator),
        Check::of_listed("StorageClass", "StorageClasses", storage_classes.as_deref(), storage_class),
        Check::of_listed("IngressClass", "IngressClasses", ingress_classes.as_deref(), ingress_class),
        Check::of_listed("DNS", "Pods in kube-system", dns.as_deref(), self::dns),
    ]
}

fn crd(served: bool) -> Check {
    if served {
        return Check::new("CRD", Mark::Good, "todostacks.todostack.dev is served", "");
    }
    let state = "the API server does not serve todostacks.todostack.dev";
    Check::new("CRD", Mark::Bad, state, &format!("In a checkout: {INSTALL_CRD}"))
}

fn operator(name: &'static str, operators: &[Arc<Deployment>]) -> Check {
    let Some(deployment) = operators.first() else {
        let state = "no Deployment in the cluster has the label app.kubernetes.io/name=todostack-operator";
        let remedy = "In a checkout: helm install todostack-operator charts/todostack-operator \
                      --namespace todostack-system";
        return Check::new(name, Mark::Bad, state, remedy);
    };
    let (namespace, deployment_name) = (deployment.namespace().unwrap_or_default(), deployment.name_any());
    let place = format!("{namespace}/{deployment_name}");
    let status = deployment.status.as_ref();
    if status.and_then(|status| status.ready_replicas).unwrap_or_default() > 0 {
        return Check::new(name, Mark::Good, format!("Deployment {place} is ready"), "");
    }
    let state = format!("Deployment {place} has no ready pod: stacks are not reconciled");
    let logs = format!("kubectl --namespace {namespace} logs deployment/{deployment_name}");
    Check::new(name, Mark::Bad, state, &logs)
}

fn storage_class(name: &'static str, classes: &[Arc<StorageClass>]) -> Check {
    let state = "the cluster has no default StorageClass: stacks must name a StorageClass or an NFS export";
    let remedy = format!("kubectl annotate storageclass NAME {DEFAULT_STORAGE_CLASS}=true");
    let none = Check::new(name, Mark::Waiting, state, &remedy);
    one_default(none, classes, DEFAULT_STORAGE_CLASS, "the newest one is used")
}

fn ingress_class(name: &'static str, classes: &[Arc<IngressClass>]) -> Check {
    let none = if classes.is_empty() {
        let state = "the cluster has no IngressClass: no controller serves an Ingress";
        let remedy = "Install an Ingress controller, or omit spec.exposure.host and spec.exposure.ingress";
        Check::new(name, Mark::Waiting, state, remedy)
    } else {
        let field = "spec.exposure.ingress.className";
        let state = format!("the cluster has no default IngressClass: stacks with a host must set {field}");
        let remedy = format!("kubectl annotate ingressclass NAME {DEFAULT_INGRESS_CLASS}=true");
        Check::new(name, Mark::Waiting, state, &remedy)
    };
    one_default(none, classes, DEFAULT_INGRESS_CLASS, "an Ingress that names none is rejected")
}

/// `none` is the result without a default class, `effect` that of several default ones.
fn one_default<K>(none: Check, classes: &[Arc<K>], annotation: &str, effect: &str) -> Check
where
    K: kube::Resource,
{
    let is_default =
        |class: &&Arc<K>| class.annotations().get(annotation).is_some_and(|value| value == "true");
    let mut names: Vec<_> = classes.iter().filter(is_default).map(|class| class.name_any()).collect();
    names.sort();
    match names.as_slice() {
        [] => none,
        [only] => Check::new(none.name, Mark::Good, format!("{only} is the default"), ""),
        several => {
            let state = format!("{} are all the default: {effect}", several.join(", "));
            let kind = none.name.to_lowercase();
            let remedy = format!("kubectl annotate --overwrite {kind} NAME {annotation}=false");
            Check::new(none.name, Mark::Waiting, state, &remedy)
        }
    }
}

fn dns(name: &'static str, pods: &[Arc<Pod>]) -> Check {
    let ready = pods.iter().filter(|pod| crate::tree::pod::node(pod).mark == Mark::Good).count();
    let state =
        format!("{ready} of {} pods in kube-system with the label k8s-app=kube-dns are ready", pods.len());
    match (pods.is_empty(), ready) {
        // Some clusters run DNS on the nodes, or label its pods differently.
        (true, _) => {
            let state = "no pod in kube-system has the label k8s-app=kube-dns: not checked";
            Check::new(name, Mark::Unknown, state, "")
        }
        (false, 0) => {
            let state = format!("{state}: host names of Services cannot be resolved");
            let remedy = "kubectl --namespace kube-system describe pods --selector k8s-app=kube-dns";
            Check::new(name, Mark::Bad, state, remedy)
        }
        (false, _) => Check::new(name, Mark::Good, state, ""),
    }
}

#[cfg(test)]
mod tests;
