//! One measurement's cluster: control plane, kwok's nodes, namespaces, clients. It ends with the value.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use tempfile::TempDir;
use todostack_testbed::bare::{ControlPlane, Settings, child::Child};
use todostack_testbed::binaries::Binaries;
use todostack_testbed::{process, repository};

use crate::usage::{self, Usage};
use crate::{stacks, wait};

/// The programs that are measured and those that they are measured on.
pub(crate) struct Programs {
    pub(crate) kubernetes: Binaries,
    pub(crate) kwok: PathBuf,
    pub(crate) operator: PathBuf,
    /// The operator's program is in it.
    pub(crate) _folder: TempDir,
    /// None if kro is not measured.
    pub(crate) kro: Option<PathBuf>,
    pub(crate) kro_defaults: bool,
    pub(crate) operator_flags: Vec<String>,
}

pub(crate) struct World {
    // Fields are dropped in this order: the nodes before the control plane, the folder last.
    _kwok: Child,
    pub(crate) plane: ControlPlane,
    /// The administrator's.
    pub(crate) client: Client,
    folder: TempDir,
}

impl World {
    pub(crate) async fn start(programs: &Programs, settings: Settings, keep: bool) -> anyhow::Result<Self> {
        let mut folder = tempfile::Builder::new().prefix("todostack-bench-").tempdir()?;
        folder.disable_cleanup(keep);
        if keep {
            eprintln!("      logs: {}", folder.path().display());
        }
        let plane = ControlPlane::start(&programs.kubernetes, folder.path(), settings)?;
        let files = repository::root().join("bench/operator");
        let mut command = Command::new(&programs.kwok);
        command.arg("--kubeconfig").arg(plane.kubeconfig("kwok", "kwok", Some("system:masters"))?);
        command.arg("--config").arg(files.join("kwok.yaml"));
        let mut kwok = Child::start("kwok", &mut command, folder.path())?;
        let mut apply = plane.tools.kubectl();
        process::run(apply.args(["apply", "--server-side", "-f"]).arg(files.join("cluster.yaml")))?;
        for namespace in stacks::namespaces() {
            process::run(plane.tools.kubectl().args(["create", "namespace", &namespace]))?;
        }
        let wait = ["wait", "--for=condition=Ready", "node", "--all", "--timeout=60s"];
        let ready = process::run(plane.tools.kubectl().args(wait));
        if let Some(why) = kwok.exited() {
            anyhow::bail!(why);
        }
        ready.context("kwok's nodes are not ready")?;
        let client = connect(&plane.tools.kubeconfig).await?;
        Ok(Self { _kwok: kwok, plane, client, folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The API server's.
    pub(crate) fn server_usage(&self) -> anyhow::Result<Usage> {
        usage::read(self.plane.process("kube-apiserver").context("the API server was started")?.id())
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        Ok(process::run(self.plane.tools.kubectl().args(arguments))?)
    }

    /// The CRD and all that the operator's chart installs, except the operator itself.
    pub(crate) async fn install_charts(&self) -> anyhow::Result<()> {
        for chart in ["todostack-crds", "todostack-operator"] {
            let mut helm = self.plane.tools.helm();
            helm.args(["upgrade", "--install", chart]).arg(repository::root().join("charts").join(chart));
            process::run(helm.args(["--namespace", OPERATOR_NAMESPACE, "--create-namespace"]))?;
        }
        self.delete_deployments()?;
        let crd = "crd/todostacks.todostack.dev";
        self.kubectl(&["wait", "--for=condition=Established", crd, "--timeout=30s"])?;
        // kubectl and this program find the new kind by discovery, which follows a moment later.
        wait::until("the API server to serve TodoStacks", Duration::from_secs(30), async || {
            let found = self.client.list_api_group_resources("todostack.dev/v1alpha1").await;
            Ok(found.map_err(|error| error.to_string()))
        })
        .await?;
        Ok(())
    }

    /// What a user does to change the number of shards, except the operators themselves: their permissions
    /// change with it.
    pub(crate) fn set_shards(&self, shards: usize) -> anyhow::Result<()> {
        let chart = repository::root().join("charts/todostack-operator");
        let mut helm = self.plane.tools.helm();
        helm.args(["upgrade", "todostack-operator"]).arg(chart).args(["--namespace", OPERATOR_NAMESPACE]);
        process::run(helm.arg(format!("--set=shards={shards}")))?;
        self.delete_deployments()
    }

    /// Their pods would only pretend to run.
    fn delete_deployments(&self) -> anyhow::Result<()> {
        self.kubectl(&["-n", OPERATOR_NAMESPACE, "delete", "deployment", "--all", "--wait=false"])
    }
}

/// Where `cargo xtask up` installs the charts, too.
pub(crate) const OPERATOR_NAMESPACE: &str = "todostack-system";

pub(crate) async fn connect(kubeconfig: &Path) -> anyhow::Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
