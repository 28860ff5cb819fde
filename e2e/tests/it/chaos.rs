//! Faults in turn while clients write: no acknowledged todo is lost, and none is stored twice. Single faults
//! and what the status reports about them are in `outages.rs`.

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
    runtime::conditions,
};
use strum::IntoEnumIterator as _;
use todostack_crds::Reason;
use todostack_e2e::{
    cluster::OPERATOR,
    figure,
    namespace::{Namespace, with_namespace, with_namespace_alone},
    nfs_node::{self, postgres_on_export},
    outage::SuspendedProcess,
    stack::READY_WITHIN,
    wait,
    writers::Writers,
};

// Minutes of the test; longer by hand.
const MINUTES: &str = "TODOSTACK_CHAOS_MINUTES";
// Todos that are written while a kubelet is suspended: 20 s, less than the 40 s after which a node counts as
// lost.
const WITHOUT_KUBELET: usize = 2_000;
// How long the loss of the database's pod may interrupt writes.
const WRITABLE_WITHIN: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug, strum::EnumIter)]
enum Fault {
    ApiPods,
    DatabasePod,
    OperatorPod,
    NfsServer,
    Kubelet,
    NfsNodeCrash,
}

#[test]
fn no_acknowledged_todo_is_lost_or_stored_twice_while_faults_follow_each_other() -> Result<()> {
    with_namespace_alone("chaos", async |namespace| {
        let path = namespace.export().await?;
        let host = format!("{}.localhost", namespace.name);
        let database = postgres_on_export(&path);
        let spec = format!("{{database: {{postgres: {database}}}, exposure: {{host: {host}}}}}");
        namespace.apply_and_wait("shop", &spec).await?;

        let writers = Writers::start(&host);
        writers.until_next(READY_WITHIN).await?;
        let outcome = faults_in_turn(namespace, &writers).await;
        let acknowledged = writers.stop().await?;
        outcome?;
        namespace.ensure_stored_once("shop", &acknowledged).await?;
        figure::print_count("todos acknowledged and stored once", acknowledged.len()).map_err(Into::into)
    })
}

#[test]
fn writes_go_on_within_15_s_of_the_loss_of_the_database_pod() -> Result<()> {
    with_namespace("writable", async |namespace| {
        let host = format!("{}.localhost", namespace.name);
        namespace.apply_and_wait("shop", &format!("{{exposure: {{host: {host}}}}}")).await?;
        let writers = Writers::start(&host);
        writers.until_next(READY_WITHIN).await?;
        let start = Instant::now();
        delete_now(&namespace.api(), "shop-db-0").await?;
        let outcome = writers.until_next(WRITABLE_WITHIN.saturating_sub(start.elapsed())).await;
        figure::print("loss of the database's pod, until the next write", start.elapsed())?;
        let acknowledged = writers.stop().await?;
        outcome?;
        namespace.ensure_stored_once("shop", &acknowledged).await
    })
}

async fn faults_in_turn(namespace: &Namespace, writers: &Writers) -> Result<()> {
    let minutes = env::var(MINUTES).map_or(Ok(5), |text| text.parse()).context(MINUTES)?;
    let end = Instant::now() + Duration::from_mins(minutes);
    for fault in Fault::iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        let start = Instant::now();
        fault.cause(namespace, writers).await.with_context(|| format!("{fault:?}"))?;
        writers.until_next(READY_WITHIN).await.with_context(|| format!("after {fault:?}"))?;
        figure::print(&format!("{fault:?}, until the next write"), start.elapsed())?;
        namespace.until_ready("shop").await.with_context(|| format!("after {fault:?}"))?;
    }
    Ok(())
}

impl Fault {
    async fn cause(self, namespace: &Namespace, writers: &Writers) -> Result<()> {
        match self {
            Self::ApiPods => {
                let pods = namespace.api::<Pod>();
                let labels = "todostack.dev/stack=shop,app.kubernetes.io/component=api";
                pods.delete_collection(&now(), &ListParams::default().labels(labels)).await?;
                Ok(())
            }
            Self::DatabasePod => delete_now(&namespace.api(), "shop-db-0").await,
            Self::OperatorPod => {
                let pods = namespace.cluster.operator_api::<Pod>();
                let labels = format!("app.kubernetes.io/name={OPERATOR}");
                pods.delete_collection(&now(), &ListParams::default().labels(&labels)).await?;
                let deployments = namespace.cluster.operator_api::<Deployment>();
                let available = conditions::is_deployment_completed();
                wait::until(&deployments, OPERATOR, "available", READY_WITHIN, available).await.map(drop)
            }
            Self::NfsServer => {
                nfs_node::run("rpc.nfsd 0").await?;
                let reported = namespace.until_not_ready("shop", Reason::NfsServerUnreachable, "").await;
                nfs_node::run("rpc.nfsd 4").await?;
                reported.map(drop)
            }
            Self::Kubelet => {
                let _suspended = SuspendedProcess::suspend("kubelet-1")?;
                writers.until_more(WITHOUT_KUBELET, READY_WITHIN).await
            }
            Self::NfsNodeCrash => nfs_node::crash().await,
        }
    }
}

fn now() -> DeleteParams {
    DeleteParams::default().grace_period(0)
}

// As the loss of its node: nothing is shut down. Returns when another pod of its name runs.
async fn delete_now(pods: &Api<Pod>, name: &str) -> Result<()> {
    let old = pods.get(name).await?;
    pods.delete(name, &now()).await?;
    wait::until_replaced(pods, &old, READY_WITHIN).await?;
    // Until the kubelet has stopped the old container, that one still accepts writes.
    wait::until(pods, name, "running", READY_WITHIN, conditions::is_pod_running()).await.map(drop)
}
