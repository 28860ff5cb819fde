//! How long a diagnosis takes: one stack in trouble, 20 pods, 200 Events. Prints the median and the extremes.

use std::{hint::black_box, sync::Arc, time::Instant};

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod};
use serde_json::json;
use todostack_crds::TodoStack;
use todostack_stack::{
    applied::Applied,
    conditions::{self, View},
    config::Config,
    credentials::GeneratedSecrets,
    diagnose::{Evidence, diagnose},
    observed::Observed,
    resolve::{Inputs, resolve},
};

/// Diagnoses that are timed, after as many that are not.
const RUNS: usize = 1000;

fn main() -> anyhow::Result<()> {
    let observed = trouble()?;
    let config = Config::default();
    let mut shop = TodoStack::new("shop", serde_json::from_value(json!({}))?);
    shop.metadata.namespace = Some("shops".into());
    shop.metadata.uid = Some("1".into());
    shop.metadata.generation = Some(1);
    let generated =
        GeneratedSecrets { superuser_password: "1".into(), app_password: "2".into(), revision: "3".into() };
    let (applied, now) = (Applied::default(), Timestamp::UNIX_EPOCH);
    let inputs = Inputs { observed: &observed, generated: &generated, config: &config, rotate: None, now };
    let stack = resolve(&shop, inputs)?;
    let once = || {
        let findings = diagnose(Evidence { stack: &stack, observed: &observed, applied: &applied, now });
        let view = View { stack: &stack, observed: &observed, findings: &findings };
        (conditions::evaluate(view).len(), findings.len())
    };
    let mut micros = Vec::with_capacity(RUNS);
    for run in 0..2 * RUNS {
        #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
        let begun = Instant::now();
        black_box(once());
        if run >= RUNS {
            micros.push(begun.elapsed().as_micros());
        }
    }
    micros.sort_unstable();
    let at = |index: usize| micros.get(index).copied().context("no run was timed");
    println!("diagnosis of 20 pods and 200 Events, {} findings, {RUNS} runs:", once().1);
    println!("median {} µs, minimum {} µs, maximum {} µs", at(RUNS / 2)?, at(0)?, at(RUNS - 1)?);
    Ok(())
}

/// Pods that crash, lack their image, find no node and are not ready, each with ten Events.
fn trouble() -> anyhow::Result<Observed> {
    let states = [
        json!({"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}}),
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}),
        json!({"running": {}}),
        json!({"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"pg\" not found"}}),
    ];
    let mut observed = Observed::default();
    for (number, state) in states.iter().cycle().take(20).enumerate() {
        let component = if number == 0 { "database" } else { "api" };
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {
                "name": format!("shop-{number}"), "uid": number.to_string(),
                "labels": {"app.kubernetes.io/component": component},
            },
            "status": {"containerStatuses": [{
                "name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 3, "state": state,
                "lastState": {"terminated": {"exitCode": 1, "message": "2026-11-21 02:43:07 UTC [1] FATAL:  no\n"}},
            }]},
        }))?;
        observed.pods.push(Arc::new(pod));
        for count in 0..10 {
            let event: Event = serde_json::from_value(json!({
                "metadata": {}, "involvedObject": {"kind": "Pod", "uid": number.to_string()}, "reason": "Unhealthy",
                "message": "Readiness probe failed: HTTP probe failed with statuscode: 503", "count": count,
            }))?;
            observed.events.push(event);
        }
    }
    Ok(observed)
}
