//! kro as a process, with the rights that its chart gives it by default: all.

use std::process::Command;
use std::time::Duration;

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;
use todostack_testbed::bare::child::Child;
use todostack_testbed::{process, repository};

use super::free_port;
use crate::world::{Programs, World};
use crate::{kro_graph, wait};

pub(super) const USER: &str = "system:serviceaccount:kro-system:kro";

// As many stacks at a time as this operator, and no limits below what two cores can do: its defaults (one at
// a time, ten a second) would make it slower.
const FLAGS: &[&str] = &[
    "--dynamic-controller-concurrent-reconciles=16",
    "--dynamic-controller-rate-limiter-rate-limit=1000",
    "--dynamic-controller-rate-limiter-burst-limit=2000",
    "--client-qps=1000",
    "--client-burst=2000",
];

pub(super) fn resource() -> ApiResource {
    let kind = GroupVersionKind::gvk(kro_graph::GROUP, kro_graph::VERSION, kro_graph::KIND);
    ApiResource::from_gvk_with_plural(&kind, "benchstacks")
}

/// Its CRDs, from its Go module, and its permissions.
pub(super) fn install(world: &World) -> anyhow::Result<()> {
    let mut go = Command::new("go");
    go.current_dir(repository::testbed().join("kro"));
    let module =
        process::output(go.args(["list", "-m", "-f", "{{.Dir}}", "github.com/kubernetes-sigs/kro"]))?;
    world.kubectl(&["apply", "--server-side", "-f", &format!("{module}/helm/crds")])?;
    world.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"])?;
    let user = format!("--user={USER}");
    world.kubectl(&["create", "clusterrolebinding", "kro", "--clusterrole=cluster-admin", &user])
}

pub(super) fn start(world: &World, programs: &Programs) -> anyhow::Result<Child> {
    let program = programs.kro.as_ref().ok_or_else(|| anyhow::anyhow!("kro was not built"))?;
    let mut command = Command::new(program);
    command.env("KUBECONFIG", world.plane.kubeconfig("kro", USER, Some("system:serviceaccounts"))?);
    for flag in ["--metrics-bind-address", "--health-probe-bind-address"] {
        command.arg(format!("{flag}=127.0.0.1:{}", free_port()?));
    }
    command.args(["--zap-devel=false", "--zap-log-level=info"]);
    if !programs.kro_defaults {
        command.args(FLAGS);
    }
    Child::start("kro", &mut command, world.folder())
}

/// Applies the ResourceGraphDefinition and waits until kro serves its instances.
pub(super) async fn define(world: &World) -> anyhow::Result<()> {
    let kind = GroupVersionKind::gvk("kro.run", "v1alpha1", "ResourceGraphDefinition");
    let resource = ApiResource::from_gvk_with_plural(&kind, "resourcegraphdefinitions");
    let api: Api<DynamicObject> = Api::all_with(world.client.clone(), &resource);
    let definition = Patch::Apply(kro_graph::definition()?);
    api.patch(kro_graph::NAME, &PatchParams::apply("bench").force(), &definition).await?;
    wait::until("kro to accept the ResourceGraphDefinition", Duration::from_mins(1), async || {
        let status = api.get(kro_graph::NAME).await?.data.pointer("/status").cloned().unwrap_or_default();
        let is_active = status.get("state").and_then(Value::as_str) == Some("Active");
        Ok(if is_active { Ok(()) } else { Err(status.to_string()) })
    })
    .await
}
