//! Init scripts that fail. Those that succeed are in the example.

use std::path::Path;

use anyhow::Result;
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    remedy::Step,
    stack::READY_WITHIN,
    symptom::Symptom,
    wait,
};

const SCRIPTS: &str = ", initScripts: {configMap: {name: seed}}";

async fn apply_scripts(namespace: &Namespace, second: &str) -> Result<()> {
    let second = format!("--from-literal=20-bad.sql={second}");
    let first = "--from-literal=10-good.sql=create table a (id int);";
    let third = "--from-literal=30-late.sql=create table c (id int);";
    namespace.kubectl(&["delete", "configmap", "seed", "--ignore-not-found"]).await?;
    namespace.kubectl(&["create", "configmap", "seed", first, &second, third]).await.map(drop)
}

async fn ensure_initialized(namespace: &Namespace) -> Result<()> {
    let query = "psql -U postgres -d todo -Atc 'select count(*) from c'";
    let count = namespace.kubectl(&["exec", "shop-db-0", "-c", "postgres", "--", "sh", "-c", query]).await?;
    assert_eq!(count.trim(), "0");
    Ok(())
}

#[test]
fn a_failed_init_script_is_reported_after_restarts_too_and_its_remedy_heals() -> Result<()> {
    with_namespace("script", async |namespace| {
        apply_scripts(namespace, "insert into nowhere values (1);").await?;
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {{{}}}}}}}", &SCRIPTS[2..]);
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let mention = "20-bad.sql:1: ERROR:  relation \"nowhere\" does not exist";
        watch.diagnosed_as(Reason::InitScriptFailed, mention).await?;

        let pods = namespace.api::<Pod>();
        let old = pods.get("shop-db-0").await?;
        pods.delete("shop-db-0", &DeleteParams::default()).await?;
        wait::until_replaced(&pods, &old, READY_WITHIN).await?;
        let watch = namespace.watch_for("shop", Symptom::ContainerFailed).await?;
        let message = watch.diagnosed_as(Reason::InitScriptFailed, mention).await?;

        apply_scripts(namespace, "select 1;").await?;
        let step = Step::Run { after: "on an empty database: ", folder: Path::new("."), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await?;
        ensure_initialized(namespace).await
    })
}
