//! The first moment at which the cluster itself shows that something is wrong, seen by the test and not by the operator,
//! and how long the operator takes from there to the cause.

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

/// From the symptom to the cause in `Ready`.
const NAMED_WITHIN: Duration = Duration::from_secs(10);
/// A cause that is named before its symptom was seen: the watch may be that much behind.
const SEEN_WITHIN: Duration = Duration::from_secs(5);

/// What a person could see of a stack's trouble, without the operator.
#[derive(Clone, Copy, Debug)]
pub enum Symptom {
    /// The spec or what it names is wrong: there is nothing to wait for.
    Applied,
    /// A container waits, for this reason of the kubelet's.
    Waiting(&'static str),
    /// A container ended with an error.
    Ended,
    /// An Event of this reason about an object whose name begins so.
    Event(&'static str, &'static str),
    /// The same, and as much time after it as what it waits for usually takes.
    EventSince(&'static str, &'static str, Duration),
    /// The database's volume cannot be mounted, in the words of the mount: the kubelet has Events of that reason for what
    /// it cannot read yet, too.
    MountFails,
    /// The scheduler finds no node for a pod.
    Unschedulable,
    /// A pod of this component is not ready.
    Unready(&'static str),
    /// The API's Deployment has a condition with this reason.
    Condition(&'static str),
    /// A pod is there this long after it should have been gone.
    Overdue(Duration),
}

/// A symptom that is looked out for.
#[derive(Debug)]
pub struct Watching {
    stack: String,
    symptom: Symptom,
    seen: JoinHandle<Result<Instant>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.seen.abort();
    }
}

impl Namespace {
    /// Looks out for a symptom of a stack from now on: to be called before what brings it about.
    ///
    /// # Errors
    /// The API server does not let it watch.
    pub async fn watch(&self, stack: &str, symptom: Symptom) -> Result<Watching> {
        let (listed, all_listed) = oneshot::channel();
        let looks = looks(self, stack, symptom);
        let watching =
            Watching { stack: stack.to_owned(), symptom, seen: tokio::spawn(first(looks, symptom, listed)) };
        // The task ends without a word when a list fails; what failed is its result.
        let _ = timeout(SEEN_WITHIN, all_listed).await.context("the watches did not list in time")?;
        Ok(watching)
    }

    /// Waits until `Ready` names the cause, prints how long that took from the symptom on, and gives the message back.
    ///
    /// # Errors
    /// It names another cause, or without `named`, or too late; or the symptom was never seen.
    pub async fn explained(&self, mut watching: Watching, (reason, named): (Reason, &str)) -> Result<String> {
        let message = self.says(&watching.stack, (reason, named), READY_WITHIN).await?;
        let said = Instant::now();
        let seen = timeout(SEEN_WITHIN, &mut watching.seen).await;
        let seen =
            seen.with_context(|| format!("{reason:?} without {:?} having been seen", watching.symptom))??;
        let took = said.saturating_duration_since(seen?);
        figure::print(&format!("{reason:?}, from {:?} to Ready", watching.symptom), took)?;
        capture::write(self, &watching.stack, reason).await?;
        ensure!(took <= NAMED_WITHIN, "{reason:?} was named {:.1} s after its symptom", took.as_secs_f64());
        Ok(message)
    }

    /// Applies a stack and waits until `Ready` names the cause, as [`Self::explained`] does.
    ///
    /// # Errors
    /// The API server refuses it, or as for [`Self::explained`].
    pub async fn apply_and_see(
        &self,
        (stack, spec): (&str, &str),
        symptom: Symptom,
        cause: (Reason, &str),
    ) -> Result<String> {
        let watching = self.watch(stack, symptom).await?;
        self.apply(stack, spec).await?;
        self.explained(watching, cause).await
    }
}

/// What one watch brought.
enum Look {
    /// What was there when it began.
    Listed,
    /// The symptom shows in this time, or now.
    Seen(Duration),
    Nothing,
}

type Looks = SelectAll<BoxStream<'static, Result<Look, watcher::Error>>>;

async fn first(mut looks: Looks, symptom: Symptom, listed: oneshot::Sender<()>) -> Result<Instant> {
    if matches!(symptom, Symptom::Applied) {
        return Ok(Instant::now());
    }
    let (mut waiting, mut listed) = (looks.len(), Some(listed));
    while let Some(look) = looks.next().await {
        match look.with_context(|| format!("failed to watch for {symptom:?}"))? {
            Look::Seen(later) => return Ok(Instant::now() + later),
            Look::Listed => waiting = waiting.saturating_sub(1),
            Look::Nothing => {}
        }
        if waiting == 0
            && let Some(listed) = listed.take()
        {
            // Nobody listens when the test gave up in the meantime.
            let _ = listed.send(());
        }
    }
    bail!("the watches for {symptom:?} ended")
}

fn looks(namespace: &Namespace, stack: &str, symptom: Symptom) -> Looks {
    let ours = watcher::Config::default().labels(&format!("todostack.dev/stack={stack}"));
    let mut looks = SelectAll::new();
    looks.push(look(namespace.api(), ours.clone(), true, move |pod: &Pod| of_pod(pod, symptom)));
    looks.push(look(namespace.api(), ours, false, move |deployment: &Deployment| {
        of_deployment(deployment, symptom).then_some(Duration::ZERO)
    }));
    looks.push(look(namespace.api(), watcher::Config::default(), false, move |event: &Event| {
        let about = event.involved_object.name.as_deref().unwrap_or_default();
        let is =
            |reason: &str, begins: &str| event.reason.as_deref() == Some(reason) && about.starts_with(begins);
        match symptom {
            Symptom::Event(reason, begins) if is(reason, begins) => Some(Duration::ZERO),
            Symptom::EventSince(reason, begins, usual) if is(reason, begins) => Some(usual),
            Symptom::MountFails if is("FailedMount", "shop-db-0") => event
                .message
                .as_ref()
                .is_some_and(|words| words.contains("mount failed"))
                .then_some(Duration::ZERO),
            _ => None,
        }
    }));
    looks
}

/// `before`: whether what was there when the watch began counts.
fn look<K>(
    api: Api<K>,
    config: watcher::Config,
    before: bool,
    shows: impl Fn(&K) -> Option<Duration> + Send + 'static,
) -> BoxStream<'static, Result<Look, watcher::Error>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let look = move |event| match event {
        watcher::Event::InitDone => Look::Listed,
        watcher::Event::InitApply(object) if before => shows(&object).map_or(Look::Nothing, Look::Seen),
        watcher::Event::Apply(object) => shows(&object).map_or(Look::Nothing, Look::Seen),
        watcher::Event::InitApply(_) | watcher::Event::Init | watcher::Event::Delete(_) => Look::Nothing,
    };
    watcher(api, config).map_ok(look).boxed()
}

fn of_pod(pod: &Pod, symptom: Symptom) -> Option<Duration> {
    let is = match symptom {
        Symptom::Waiting(reason) => containers(pod).any(|it| {
            let waiting = it.state.as_ref().and_then(|state| state.waiting.as_ref());
            waiting.and_then(|waiting| waiting.reason.as_deref()) == Some(reason)
        }),
        Symptom::Ended => containers(pod).any(|it| {
            let ended = it.state.as_ref().and_then(|state| state.terminated.as_ref());
            ended.is_some_and(|ended| ended.exit_code != 0)
        }),
        Symptom::Unschedulable => has_condition(pod, "PodScheduled"),
        Symptom::Unready(component) => {
            let labels = pod.metadata.labels.as_ref();
            let is = labels.and_then(|labels| labels.get("app.kubernetes.io/component"));
            is.is_some_and(|is| is == component) && has_condition(pod, "Ready")
        }
        Symptom::Overdue(by) => {
            let due = pod.metadata.deletion_timestamp.as_ref()?;
            let late = due.0.duration_since(Timestamp::now());
            return Some(Duration::try_from(late).unwrap_or_default() + by);
        }
        Symptom::Applied
        | Symptom::Event(..)
        | Symptom::EventSince(..)
        | Symptom::MountFails
        | Symptom::Condition(_) => false,
    };
    is.then_some(Duration::ZERO)
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.iter();
    status.flat_map(|it| it.init_container_statuses.iter().chain(&it.container_statuses).flatten())
}

fn has_condition(pod: &Pod, kind: &str) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|it| it.type_ == kind && it.status == "False")
}

fn of_deployment(deployment: &Deployment, symptom: Symptom) -> bool {
    let conditions = deployment.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut reasons = conditions.filter_map(|it| it.reason.as_deref());
    matches!(symptom, Symptom::Condition(wanted) if reasons.any(|it| it == wanted))
}
