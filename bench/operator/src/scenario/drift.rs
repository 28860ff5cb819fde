//! Somebody deletes a Service or edits a Deployment: how long until it is as it was, and at what cost.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};
use todostack_stack::managed::Kind;

use crate::audit::Requests;
use crate::life::Life;
use crate::result::median;
use crate::stacks::{self, Id};
use crate::wait;

/// How often each is done, each time to another stack.
const TIMES: usize = 5;
const LIMIT: Duration = Duration::from_mins(2);
const IMAGE: &str = "/spec/template/spec/containers/0/image";

pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    for (kind, prefix) in [(Kind::Service, "service"), (Kind::Deployment, "deployment")] {
        eprintln!("      drift of a {prefix}");
        let (mut audit, mut requests) = (life.audit()?, Requests::default());
        let mut seconds = Vec::new();
        for id in life.ids.iter().cycle().take(TIMES) {
            seconds.push(correct(life, kind, id).await?);
        }
        life.quiet(&mut audit, &mut requests).await?;
        record(life, prefix, &seconds, &requests);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
fn record(life: &mut Life<'_>, prefix: &str, seconds: &[f64], requests: &Requests) {
    let each = |count: u64| count as f64 / TIMES as f64;
    let measurement = &mut life.measurement;
    measurement.set_some(&format!("drift_{prefix}_s"), median(seconds));
    measurement.set(&format!("drift_{prefix}_writes"), each(requests.writes()));
    measurement.set(&format!("drift_{prefix}_reads"), each(requests.reads()));
    measurement.set(&format!("drift_{prefix}_lists"), each(requests.lists()));
}

/// Seconds from the answer to the disturbance until a watch shows the object as it was.
async fn correct(life: &Life<'_>, kind: Kind, id: &Id) -> anyhow::Result<f64> {
    let api = stacks::api(&life.world.client, id, &kind.api_resource());
    let name = format!("{}-api", id.name);
    let before = api.get(&name).await?;
    let uid = before.metadata.uid.clone();
    let image = before.data.pointer(IMAGE).cloned();
    let is_corrected = move |object: Option<&DynamicObject>| {
        object.is_some_and(|object| match &image {
            Some(image) => object.data.pointer(IMAGE) == Some(image),
            None => object.metadata.uid != uid,
        })
    };
    // It begins before the disturbance, which must be seen first: the object is corrected before that, too.
    let disturbed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = disturbed.clone();
    let (watched, key) = (api.clone(), name.clone());
    let corrected = tokio::spawn(async move {
        let condition = move |object: Option<&DynamicObject>| {
            use std::sync::atomic::Ordering::Relaxed;
            if is_corrected(object) {
                return flag.load(Relaxed);
            }
            flag.store(true, Relaxed);
            false
        };
        await_condition(watched, &key, condition).await.map(|_| Instant::now())
    });
    wait::pause(Duration::from_millis(300)).await;
    disturb(&api, &name, kind).await?;
    let answered = Instant::now();
    let corrected =
        tokio::time::timeout(LIMIT, corrected).await.with_context(|| format!("{name} stays"))???;
    Ok(corrected.saturating_duration_since(answered).as_secs_f64())
}

async fn disturb(api: &Api<DynamicObject>, name: &str, kind: Kind) -> anyhow::Result<()> {
    if kind == Kind::Service {
        api.delete(name, &DeleteParams::default()).await?;
        return Ok(());
    }
    let operation: Value = json!([{"op": "replace", "path": IMAGE, "value": "registry.example.com/other:1"}]);
    let patch: Patch<()> = Patch::Json(serde_json::from_value(operation)?);
    api.patch(
        name,
        &PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() },
        &patch,
    )
    .await?;
    Ok(())
}
