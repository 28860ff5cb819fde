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
    /// Pods of the cluster's DNS.
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

    fn forbidden(name: &'static str, what: &str) -> Self {
        Self::new(name, Mark::Unknown, format!("not allowed to list {what}: not checked"), "")
    }
}

pub(crate) fn checks(cluster: &Cluster) -> Vec<Check> {
    let Cluster { crd, operators, storage_classes, ingress_classes, dns } = cluster;
    vec![
        self::crd(*crd),
        operators.as_ref().map_or_else(
            || Check::forbidden("Operator", "Deployments in all namespaces"),
            |operators| operator(operators),
        ),
        storage_classes.as_ref().map_or_else(
            || Check::forbidden("StorageClass", "StorageClasses"),
            |classes| storage_class(classes),
        ),
        ingress_classes.as_ref().map_or_else(
            || Check::forbidden("IngressClass", "IngressClasses"),
            |classes| ingress_class(classes),
        ),
        dns.as_ref().map_or_else(|| Check::forbidden("DNS", "Pods in kube-system"), |pods| self::dns(pods)),
    ]
}

fn crd(served: bool) -> Check {
    if served {
        return Check::new("CRD", Mark::Good, "todostacks.todostack.dev is served", "");
    }
    Check::new(
        "CRD",
        Mark::Bad,
        "the API server does not serve todostacks.todostack.dev",
        &format!("In a checkout: {INSTALL_CRD}"),
    )
}

fn operator(operators: &[Arc<Deployment>]) -> Check {
    let name = "Operator";
    let Some(deployment) = operators.first() else {
        return Check::new(
            name,
            Mark::Bad,
            "no Deployment in the cluster has the label app.kubernetes.io/name=todostack-operator",
            "In a checkout: helm install todostack-operator charts/todostack-operator --namespace todostack-system",
        );
    };
    let place = format!("{}/{}", deployment.namespace().unwrap_or_default(), deployment.name_any());
    let status = deployment.status.as_ref();
    if status.and_then(|status| status.ready_replicas).unwrap_or_default() > 0 {
        return Check::new(name, Mark::Good, format!("Deployment {place} is ready"), "");
    }
    let logs = format!(
        "kubectl --namespace {} logs deployment/{}",
        deployment.namespace().unwrap_or_default(),
        deployment.name_any()
    );
    Check::new(
        name,
        Mark::Bad,
        format!("Deployment {place} has no ready pod: stacks are not reconciled"),
        &logs,
    )
}

fn storage_class(classes: &[Arc<StorageClass>]) -> Check {
    let names = defaults(classes, DEFAULT_STORAGE_CLASS);
    match names.as_slice() {
        [] => Check::new(
            "StorageClass",
            Mark::Waiting,
            "the cluster has no default StorageClass: stacks must name a StorageClass or an NFS export",
            "kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true",
        ),
        [only] => Check::new("StorageClass", Mark::Good, format!("{only} is the default"), ""),
        several => Check::new(
            "StorageClass",
            Mark::Waiting,
            format!("{} are all the default: the newest one is used", several.join(", ")),
            "kubectl annotate --overwrite storageclass NAME storageclass.kubernetes.io/is-default-class=false",
        ),
    }
}

fn ingress_class(classes: &[Arc<IngressClass>]) -> Check {
    let names = defaults(classes, DEFAULT_INGRESS_CLASS);
    match names.as_slice() {
        [] if classes.is_empty() => Check::new(
            "IngressClass",
            Mark::Waiting,
            "the cluster has no IngressClass: no controller serves an Ingress",
            "Install an Ingress controller, or omit spec.exposure.host and spec.exposure.ingress",
        ),
        [] => Check::new(
            "IngressClass",
            Mark::Waiting,
            "the cluster has no default IngressClass: stacks with a host must set spec.exposure.ingress.className",
            "kubectl annotate ingressclass NAME ingressclass.kubernetes.io/is-default-class=true",
        ),
        [only] => Check::new("IngressClass", Mark::Good, format!("{only} is the default"), ""),
        several => Check::new(
            "IngressClass",
            Mark::Waiting,
            format!("{} are all the default: an Ingress that names none is rejected", several.join(", ")),
            "kubectl annotate --overwrite ingressclass NAME ingressclass.kubernetes.io/is-default-class=false",
        ),
    }
}

fn defaults<K: kube::Resource>(classes: &[Arc<K>], annotation: &str) -> Vec<String> {
    let is_default =
        |class: &&Arc<K>| class.annotations().get(annotation).is_some_and(|value| value == "true");
    let mut names: Vec<_> = classes.iter().filter(is_default).map(|class| class.name_any()).collect();
    names.sort();
    names
}

fn dns(pods: &[Arc<Pod>]) -> Check {
    let ready = pods.iter().filter(|pod| crate::tree::pod::node(pod).mark == Mark::Good).count();
    let state =
        format!("{ready} of {} pods in kube-system with the label k8s-app=kube-dns are ready", pods.len());
    match (pods.is_empty(), ready) {
        // Some clusters run DNS on the nodes, or label its pods differently.
        (true, _) => Check::new(
            "DNS",
            Mark::Unknown,
            "no pod in kube-system has the label k8s-app=kube-dns: not checked",
            "",
        ),
        (false, 0) => Check::new(
            "DNS",
            Mark::Bad,
            format!("{state}: host names of Services cannot be resolved"),
            "kubectl --namespace kube-system describe pods --selector k8s-app=kube-dns",
        ),
        (false, _) => Check::new("DNS", Mark::Good, state, ""),
    }
}

#[cfg(test)]
mod tests;
