//! The state of one existing object. Kinds that are not named here are shown without a state.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{LoadBalancerIngress, PersistentVolume, PersistentVolumeClaim, Service},
    networking::v1::Ingress,
};
use kube::ResourceExt as _;
use todostack_stack::{
    conditions,
    managed::{Key, Kind},
    observed::Observed,
    resources::migration_job,
};

use crate::report::Mark;

pub(super) struct State {
    pub(super) mark: Mark,
    pub(super) summary: String,
    /// Added in wide output.
    pub(super) details: String,
}

impl State {
    fn new(is_good: bool, summary: impl Into<String>) -> Self {
        let mark = if is_good { Mark::Good } else { Mark::Waiting };
        Self { mark, summary: summary.into(), details: String::new() }
    }

    fn with(self, details: impl Into<String>) -> Self {
        Self { details: details.into(), ..self }
    }
}

/// The state of the object of that key. Of an object without its labels, only its metadata is read.
pub(super) fn state(observed: &Observed, key: &Key) -> State {
    let state = match key.kind {
        Kind::PersistentVolumeClaim => observed.claim.as_deref().map(claim),
        Kind::PersistentVolume => observed.volume.as_deref().map(volume),
        Kind::StatefulSet => observed.stateful_set.as_deref().map(stateful_set),
        Kind::Deployment => observed.deployment.as_deref().map(deployment),
        Kind::Ingress => observed.ingress.as_deref().map(ingress),
        Kind::Job => observed.jobs.iter().find(|it| it.name_any() == key.name).map(|it| job(it)),
        Kind::Service => observed.api_service.as_deref().filter(|it| it.name_any() == key.name).map(service),
        _ => None,
    };
    state.unwrap_or_else(|| State::new(true, ""))
}

fn claim(claim: &PersistentVolumeClaim) -> State {
    let status = claim.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref());
    let size = status.and_then(|status| status.capacity.as_ref()?.get("storage"));
    match (phase, volume) {
        ("Bound", Some(volume)) => {
            let size = size.map(|size| format!("{}, ", size.0)).unwrap_or_default();
            State::new(true, format!("{size}Bound")).with(format!("to {volume}"))
        }
        _ => State::new(false, phase),
    }
}

fn volume(volume: &PersistentVolume) -> State {
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    let nfs = volume.spec.as_ref().and_then(|spec| spec.nfs.as_ref());
    let source = nfs.map(|nfs| format!("{}:{}", nfs.server, nfs.path)).unwrap_or_default();
    State::new(phase == "Bound", phase).with(source)
}

fn stateful_set(set: &StatefulSet) -> State {
    let desired = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default();
    State::new(ready >= desired, format!("{ready}/{desired} ready"))
}

fn deployment(deployment: &Deployment) -> State {
    let desired = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or_default();
    // All pods can be ready while some still run the old template.
    let rolling = if conditions::is_rolled_out(deployment) { "" } else { ", rolling out" };
    State::new(ready >= desired, format!("{ready}/{desired} ready{rolling}"))
}

fn job(job: &Job) -> State {
    let image = migration_job::image(job).unwrap_or_default();
    let state = if migration_job::complete(job) {
        State::new(true, "Complete")
    } else if migration_job::failed(job) {
        State { mark: Mark::Bad, ..State::new(false, "Failed") }
    } else {
        State::new(false, "Running")
    };
    state.with(image)
}

fn service(service: &Service) -> State {
    let type_ = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()).unwrap_or("ClusterIP");
    let points = service.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    let addresses = addresses(
        points.into_iter().flatten().map(|LoadBalancerIngress { hostname, ip, .. }| (hostname, ip)),
    );
    match (type_, addresses.is_empty()) {
        ("LoadBalancer", true) => State::new(false, "LoadBalancer, no address"),
        ("LoadBalancer", false) => State::new(true, format!("LoadBalancer {addresses}")),
        _ => State::new(true, type_),
    }
}

fn ingress(ingress: &Ingress) -> State {
    let points = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref()?.ingress.as_ref());
    let addresses = addresses(points.into_iter().flatten().map(|point| (&point.hostname, &point.ip)));
    let spec = ingress.spec.as_ref();
    let hosts: Vec<_> = spec
        .iter()
        .flat_map(|spec| spec.rules.iter().flatten())
        .filter_map(|rule| rule.host.as_deref())
        .collect();
    // A rule without a host matches every request.
    let hosts = if hosts.is_empty() { "all hosts".to_owned() } else { hosts.join(", ") };
    let class = spec.and_then(|spec| spec.ingress_class_name.as_deref()).unwrap_or("none");
    let state = if addresses.is_empty() {
        State::new(false, format!("{hosts}, no address"))
    } else {
        State::new(true, format!("{hosts} at {addresses}"))
    };
    state.with(format!("class {class}"))
}

fn addresses<'a>(points: impl Iterator<Item = (&'a Option<String>, &'a Option<String>)>) -> String {
    let known: Vec<_> = points.filter_map(|(hostname, ip)| hostname.as_deref().or(ip.as_deref())).collect();
    known.join(", ")
}
