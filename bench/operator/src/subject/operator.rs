//! This operator as a process, with the rights of the chart's ServiceAccount.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use todostack_testbed::bare::child::Child;
use todostack_testbed::process;

use super::{await_probe, free_port};
use crate::stacks::API_IMAGE;
use crate::world::{OPERATOR_NAMESPACE, Programs, World};
use crate::writers::log::GROUP;

/// The chart's ServiceAccount: the same user by a certificate as by a token.
pub(crate) const USER: &str = "system:serviceaccount:todostack-system:todostack-operator";
/// The Lease of the chart.
pub(crate) const LEASE: &str = "todostack-operator";

/// One of several processes that the audit log tells apart.
pub(crate) struct Replica {
    /// Its identity in the Lease.
    pub(crate) pod: String,
    /// Unlike that of any other process, also of one that had the same pod.
    pub(crate) process: String,
    child: Child,
    port: u16,
}

pub(super) async fn start(world: &World, programs: &Programs, name: &str) -> anyhow::Result<Child> {
    let kubeconfig = world.plane.kubeconfig("operator", USER, Some("system:serviceaccounts"))?;
    let port = free_port()?;
    let mut child = Child::start(name, &mut command(programs, &kubeconfig, name, port), world.folder())?;
    await_probe(&mut child, port, "/readyz").await?;
    Ok(child)
}

fn command(programs: &Programs, kubeconfig: &Path, name: &str, port: u16) -> Command {
    let mut command = Command::new(&programs.operator);
    command.env("KUBECONFIG", kubeconfig).env("POD_NAME", name).env("POD_NAMESPACE", OPERATOR_NAMESPACE);
    // A flag of a scenario counts instead.
    command.env(todostack_stack::config::API_IMAGE, API_IMAGE).arg(format!("--listen=127.0.0.1:{port}"));
    if elects_leader(programs) {
        // As the chart runs it, with any number of replicas.
        command.arg(format!("--lease={OPERATOR_NAMESPACE}/{LEASE}"));
    }
    command.args(&programs.operator_flags);
    command
}

/// Whether it can have several replicas; older versions cannot.
pub(crate) fn elects_leader(programs: &Programs) -> bool {
    let help = process::output(Command::new(&programs.operator).arg("--help"));
    help.is_ok_and(|help| help.contains("--lease "))
}

impl Replica {
    /// Starts a process of a pod, the `number`th of all. Does not wait for it.
    pub(crate) fn start(
        world: &World,
        programs: &Programs,
        (pod, number): (&str, usize),
        flags: &[String],
    ) -> anyhow::Result<Self> {
        let process = format!("{pod}.{number}");
        let kubeconfig = world.plane.kubeconfig(&process, USER, Some(&format!("{GROUP}{process}")))?;
        let port = free_port()?;
        let mut command = command(programs, &kubeconfig, pod, port);
        let child = Child::start(&process, command.args(flags), world.folder())?;
        Ok(Self { pod: pod.to_owned(), process, child, port })
    }

    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        await_probe(&mut self.child, self.port, "/readyz").await
    }

    /// Fails if it has exited.
    pub(crate) fn ensure_running(&mut self) -> anyhow::Result<()> {
        self.child.exited().map_or(Ok(()), |why| Err(anyhow::anyhow!(why)))
    }

    /// Sends SIGKILL, or SIGTERM, and waits until it has exited.
    pub(crate) async fn stop(mut self, is_killed: bool) -> anyhow::Result<()> {
        if is_killed {
            self.child.kill();
        } else {
            self.child.terminate();
        }
        // Longer than the operator waits for its reconciles.
        crate::wait::until(&format!("{} to exit", self.process), Duration::from_mins(1), async || {
            Ok(self.child.exited().map(drop).ok_or_else(|| "it still runs".to_owned()))
        })
        .await
    }
}
