//! When the cluster first shows that something is wrong, observed by the test and not by the operator, and
//! how long the operator takes from then to its diagnosis.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{BoxStream, SelectAll},
};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ContainerStatus, Event, Pod},
    },
    jiff::Timestamp,
};
use kube::{
    Api, Resource,
    runtime::watcher::{self, watcher},
};
use serde::de::DeserializeOwned;
use todostack_crds::Reason;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{capture, figure, namespace::Namespace, stack::READY_WITHIN};

// From the symptom to the root cause in `Ready`.
const DIAGNOSED_WITHIN: Duration = Duration::from_secs(10);
// How much later than the operator the test's own watch may observe the symptom.
const WATCH_LAG: Duration = Duration::from_secs(5);

// What a user can see of a problem without the operator.
#[derive(Clone, Copy, Debug)]
pub enum Symptom {
    // The spec or a reference in it is wrong, so the time counts from the apply.
    Applied,
    // A container waits, with this reason.
    ContainerWaiting(&'static str),
    // A container terminated with an exit code other than 0.
    ContainerFailed,
    // An Event with this reason about an object whose name has this prefix.
    Event(&'static str, &'static str),
    // As `Event`, but the time counts from this much later: until then, the Event is normal.
    AfterEvent(&'static str, &'static str, Duration),
    // Mounting the database's volume failed, by the message: the kubelet also emits `FailedMount` for a
    // ConfigMap or Secret that it has not read yet.
    MountFailed,
    Unschedulable,
    // A pod of this component is not ready.
    PodNotReady(&'static str),
    // The API's Deployment has a condition with this reason.
    DeploymentCondition(&'static str),
    // A pod exists this long after its deletion deadline.
    StuckTerminating(Duration),
}

pub struct SymptomWatch<'a> {
    namespace: &'a Namespace,
    stack: String,
    symptom: Symptom,
    first: JoinHandle<Result<Instant>>,
}

impl Drop for SymptomWatch<'_> {
    fn drop(&mut self) {
        self.first.abort();
    }
}

impl Namespace {
    // Watches for a symptom of a stack from now on. To be called before what causes the symptom.
    pub async fn watch_for(&self, stack: &str, symptom: Symptom) -> Result<SymptomWatch<'_>> {
        let (listed, all_listed) = oneshot::channel();
        let first = tokio::spawn(first_occurrence(watches(self, stack, symptom), symptom, listed));
        let watch = SymptomWatch { namespace: self, stack: stack.to_owned(), symptom, first };
        // If a list fails, the task drops its sender, and its result is the error.
        let _ = timeout(WATCH_LAG, all_listed).await.context("the watches did not list in time")?;
        Ok(watch)
    }

    pub async fn apply_and_watch_for(
        &self,
        stack: &str,
        spec: &str,
        symptom: Symptom,
    ) -> Result<SymptomWatch<'_>> {
        let watch = self.watch_for(stack, symptom).await?;
        self.apply(stack, spec).await?;
        Ok(watch)
    }

    // Applies the stack `shop`, and fails unless it is not ready for this reason soon after the symptom.
    pub async fn ensure_diagnosed(
        &self,
        spec: &str,
        symptom: Symptom,
        reason: Reason,
        mention: &str,
    ) -> Result<()> {
        let watch = self.apply_and_watch_for("shop", spec, symptom).await?;
        watch.diagnosed_as(reason, mention).await.map(drop)
    }
}

impl SymptomWatch<'_> {
    // Waits until the stack's Ready is False for this reason with a message that contains `mention`, prints
    // the time since the symptom, and returns the message. It is an error if the diagnosis comes too late or
    // if the symptom was never observed.
    pub async fn diagnosed_as(mut self, reason: Reason, mention: &str) -> Result<String> {
        let Self { namespace, stack, symptom, first } = &mut self;
        let message = namespace.until_not_ready_within(READY_WITHIN, stack, reason, mention).await?;
        let reported = Instant::now();
        let observed = timeout(WATCH_LAG, first).await;
        let observed =
            observed.with_context(|| format!("{reason:?}, but {symptom:?} was not observed"))??;
        let took = reported.saturating_duration_since(observed?);
        figure::print(&format!("{reason:?}, from {symptom:?} to Ready"), took)?;
        capture::write(namespace, stack, reason).await?;
        ensure!(took <= DIAGNOSED_WITHIN, "{reason:?} took {:.1} s after its symptom", took.as_secs_f64());
        Ok(message)
    }
}

enum Observation {
    // The initial list of a watch is complete.
    Listed,
    // The symptom occurs now or after this time.
    Symptom(Duration),
    Other,
}

type Watches = SelectAll<BoxStream<'static, Result<Observation, watcher::Error>>>;

async fn first_occurrence(
    mut watches: Watches,
    symptom: Symptom,
    listed: oneshot::Sender<()>,
) -> Result<Instant> {
    if matches!(symptom, Symptom::Applied) {
        return Ok(Instant::now());
    }
    let (mut to_list, mut listed) = (watches.len(), Some(listed));
    while let Some(observation) = watches.next().await {
        match observation.with_context(|| format!("failed to watch for {symptom:?}"))? {
            Observation::Symptom(delay) => return Ok(Instant::now() + delay),
            Observation::Listed => to_list = to_list.saturating_sub(1),
            Observation::Other => {}
        }
        if to_list == 0
            && let Some(listed) = listed.take()
        {
            // The receiver is gone if the test stopped waiting.
            let _ = listed.send(());
        }
    }
    bail!("the watches for {symptom:?} ended")
}

fn watches(namespace: &Namespace, stack: &str, symptom: Symptom) -> Watches {
    let of_stack = watcher::Config::default().labels(&format!("todostack.dev/stack={stack}"));
    let mut watches = SelectAll::new();
    watches.push(watch_kind(namespace.api(), of_stack.clone(), true, move |pod: &Pod| {
        delay_by_pod(pod, symptom)
    }));
    watches.push(watch_kind(namespace.api(), of_stack, false, move |deployment: &Deployment| {
        has_condition_reason(deployment, symptom).then_some(Duration::ZERO)
    }));
    watches.push(watch_kind(namespace.api(), watcher::Config::default(), false, move |event: &Event| {
        delay_by_event(event, symptom)
    }));
    watches
}

// `initial`: whether objects in the initial list count, or only later changes.
fn watch_kind<K>(
    api: Api<K>,
    config: watcher::Config,
    initial: bool,
    delay: impl Fn(&K) -> Option<Duration> + Send + 'static,
) -> BoxStream<'static, Result<Observation, watcher::Error>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let observe = move |object| delay(&object).map_or(Observation::Other, Observation::Symptom);
    let observation = move |event| match event {
        watcher::Event::InitDone => Observation::Listed,
        watcher::Event::InitApply(object) if initial => observe(object),
        watcher::Event::Apply(object) => observe(object),
        watcher::Event::InitApply(_) | watcher::Event::Init | watcher::Event::Delete(_) => Observation::Other,
    };
    watcher(api, config).map_ok(observation).boxed()
}

fn delay_by_pod(pod: &Pod, symptom: Symptom) -> Option<Duration> {
    let has_symptom = match symptom {
        Symptom::ContainerWaiting(reason) => container_statuses(pod).any(|it| {
            let waiting = it.state.as_ref().and_then(|state| state.waiting.as_ref());
            waiting.and_then(|waiting| waiting.reason.as_deref()) == Some(reason)
        }),
        Symptom::ContainerFailed => container_statuses(pod).any(|it| {
            let terminated = it.state.as_ref().and_then(|state| state.terminated.as_ref());
            terminated.is_some_and(|terminated| terminated.exit_code != 0)
        }),
        Symptom::Unschedulable => has_false_condition(pod, "PodScheduled"),
        Symptom::PodNotReady(component) => {
            let labels = pod.metadata.labels.as_ref();
            let label = labels.and_then(|labels| labels.get("app.kubernetes.io/component"));
            label.is_some_and(|label| label == component) && has_false_condition(pod, "Ready")
        }
        Symptom::StuckTerminating(grace) => {
            let deadline = pod.metadata.deletion_timestamp.as_ref()?;
            let left = deadline.0.duration_since(Timestamp::now());
            return Some(Duration::try_from(left).unwrap_or_default() + grace);
        }
        _ => false,
    };
    has_symptom.then_some(Duration::ZERO)
}

fn delay_by_event(event: &Event, symptom: Symptom) -> Option<Duration> {
    let name = event.involved_object.name.as_deref().unwrap_or_default();
    let matches =
        |reason: &str, prefix: &str| event.reason.as_deref() == Some(reason) && name.starts_with(prefix);
    let message = event.message.as_deref().unwrap_or_default();
    match symptom {
        Symptom::Event(reason, prefix) => matches(reason, prefix).then_some(Duration::ZERO),
        Symptom::AfterEvent(reason, prefix, usual) => matches(reason, prefix).then_some(usual),
        Symptom::MountFailed => (matches("FailedMount", "shop-db-0") && message.contains("mount failed"))
            .then_some(Duration::ZERO),
        _ => None,
    }
}

fn container_statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.iter();
    status.flat_map(|it| it.init_container_statuses.iter().chain(&it.container_statuses).flatten())
}

fn has_false_condition(pod: &Pod, type_: &str) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == type_ && it.status == "False")
}

fn has_condition_reason(deployment: &Deployment, symptom: Symptom) -> bool {
    let conditions = deployment.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut reasons = conditions.filter_map(|it| it.reason.as_deref());
    matches!(symptom, Symptom::DeploymentCondition(wanted) if reasons.any(|it| it == wanted))
}
