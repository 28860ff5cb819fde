//! What a cluster lacks for stacks to work: definition, operator, default classes, DNS. Judging is pure; the reads are
//! in `cluster/read.rs`.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::Deployment, core::v1::Pod, networking::v1::IngressClass, storage::v1::StorageClass,
};
use kube::ResourceExt as _;
use todostack_stack::diagnose::{DEFAULT_INGRESS_CLASS, DEFAULT_STORAGE_CLASS};

use crate::report::Mark;

pub(crate) mod read;

/// What was seen of the cluster; none where the user may not look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster {
    /// Whether `TodoStack` is served.
    pub(crate) crd: bool,
    pub(crate) operators: Option<Vec<Arc<Deployment>>>,
    pub(crate) storage_classes: Option<Vec<Arc<StorageClass>>>,
    pub(crate) ingress_classes: Option<Vec<Arc<IngressClass>>>,
    /// Pods of the cluster's DNS.
    pub(crate) dns: Option<Vec<Arc<Pod>>>,
}

/// One check of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// `Waiting` is a warning: some stacks do without.
    pub(crate) mark: Mark,
    pub(crate) state: String,
    /// What to do; empty when all is well.
    pub(crate) remedy: String,
}

impl Check {
    fn new(name: &'static str, mark: Mark, state: impl Into<String>, remedy: &str) -> Self {
        Self { name, mark, state: state.into(), remedy: remedy.to_owned() }
    }

    fn unread(name: &'static str, what: &str) -> Self {
        Self::new(name, Mark::Unknown, format!("not allowed to read {what}: not checked"), "")
    }
}

/// Everything that is checked.
pub(crate) fn checks(cluster: &Cluster) -> Vec<Check> {
    let Cluster { crd, operators, storage_classes, ingress_classes, dns } = cluster;
    vec![
        self::crd(*crd),
        operators.as_ref().map_or_else(
            || Check::unread("Operator", "Deployments of all namespaces"),
            |operators| operator(operators),
        ),
        storage_classes.as_ref().map_or_else(
            || Check::unread("StorageClass", "StorageClasses"),
            |classes| storage_class(classes),
        ),
        ingress_classes.as_ref().map_or_else(
            || Check::unread("IngressClass", "IngressClasses"),
            |classes| ingress_class(classes),
        ),
        dns.as_ref().map_or_else(|| Check::unread("DNS", "pods of kube-system"), |pods| self::dns(pods)),
    ]
}

fn crd(served: bool) -> Check {
    if served {
        return Check::new("Definition", Mark::Good, "todostacks.todostack.dev is served", "");
    }
    Check::new(
        "Definition",
        Mark::Bad,
        "the cluster does not know TodoStacks",
        "helm install todostack-crds oci://ghcr.io/todostack/charts/todostack-crds --namespace todostack-system --create-namespace",
    )
}

fn operator(operators: &[Arc<Deployment>]) -> Check {
    let name = "Operator";
    let Some(deployment) = operators.first() else {
        return Check::new(
            name,
            Mark::Bad,
            "no Deployment has the label app.kubernetes.io/name=todostack-operator",
            "helm install todostack-operator oci://ghcr.io/todostack/charts/todostack-operator --namespace todostack-system",
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
    Check::new(name, Mark::Bad, format!("Deployment {place} has no ready pod: nothing is worked on"), &logs)
}

fn storage_class(classes: &[Arc<StorageClass>]) -> Check {
    let names = defaults(classes, DEFAULT_STORAGE_CLASS);
    match names.as_slice() {
        [] => Check::new(
            "StorageClass",
            Mark::Waiting,
            "none is the default: a stack has to name a class or an NFS export",
            "kubectl annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true",
        ),
        [only] => Check::new("StorageClass", Mark::Good, format!("{only} is the default"), ""),
        several => Check::new(
            "StorageClass",
            Mark::Waiting,
            format!("{} are all the default: the newest one is taken", several.join(", ")),
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
            "there is none: no Ingress is served",
            "Install an Ingress controller, or leave spec.exposure.host and ingress out",
        ),
        [] => Check::new(
            "IngressClass",
            Mark::Waiting,
            "none is the default: a stack with a host has to name one in spec.exposure.ingress.className",
            "kubectl annotate ingressclass NAME ingressclass.kubernetes.io/is-default-class=true",
        ),
        [only] => Check::new("IngressClass", Mark::Good, format!("{only} is the default"), ""),
        several => Check::new(
            "IngressClass",
            Mark::Waiting,
            format!("{} are all the default: an Ingress that names none is refused", several.join(", ")),
            "kubectl annotate --overwrite ingressclass NAME ingressclass.kubernetes.io/is-default-class=false",
        ),
    }
}

fn defaults<K: kube::Resource>(classes: &[Arc<K>], mark: &str) -> Vec<String> {
    let is_default = |class: &&Arc<K>| class.annotations().get(mark).is_some_and(|value| value == "true");
    let mut names: Vec<_> = classes.iter().filter(is_default).map(|class| class.name_any()).collect();
    names.sort();
    names
}

fn dns(pods: &[Arc<Pod>]) -> Check {
    let ready = pods.iter().filter(|pod| crate::tree::pod::node(pod).mark == Mark::Good).count();
    let state = format!("{ready} of {} pods with k8s-app=kube-dns in kube-system are ready", pods.len());
    match (pods.is_empty(), ready) {
        // Some clusters resolve names on the node, or call their pods otherwise.
        (true, _) => Check::new(
            "DNS",
            Mark::Unknown,
            "no pod in kube-system has the label k8s-app=kube-dns: not checked",
            "",
        ),
        (false, 0) => Check::new(
            "DNS",
            Mark::Bad,
            format!("{state}: the API cannot find its database by name"),
            "kubectl --namespace kube-system describe pods --selector k8s-app=kube-dns",
        ),
        (false, _) => Check::new("DNS", Mark::Good, state, ""),
    }
}

#[cfg(test)]
mod tests;
