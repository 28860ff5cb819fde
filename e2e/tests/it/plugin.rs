//! `kubectl todostack`, run through kubectl, with all permissions and with the role `view` only.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use todostack_crds::Reason;
use todostack_e2e::{
    cluster::Cluster,
    command,
    namespace::{Namespace, with_namespace},
};
use todostack_testbed::repository;
use tokio::process::Command;

// The plugin, and the user who runs it.
pub(crate) struct Plugin {
    cluster: Cluster,
    namespace: String,
}

impl Plugin {
    pub(crate) async fn build(namespace: &Namespace) -> Result<Self> {
        // Cargo builds the programs of another package only if asked to.
        let build = ["build", "--quiet", "--package", "todostack-cli"];
        let status = Command::from(repository::cargo(&build)).status().await?;
        ensure!(status.success(), "cargo build --package todostack-cli: {status}");
        Ok(Self { cluster: namespace.cluster.clone(), namespace: namespace.name.clone() })
    }

    fn run_by(&self, kubeconfig: PathBuf) -> Self {
        Self { cluster: Cluster { kubeconfig, ..self.cluster.clone() }, namespace: self.namespace.clone() }
    }

    // Runs `kubectl todostack COMMAND --namespace … ARGUMENTS`.
    pub(crate) async fn run(&self, command: &str, arguments: &[&str]) -> Result<Printed> {
        let output = self
            .cluster
            .command("kubectl")?
            .args(["todostack", command, "--namespace", &self.namespace])
            .args(arguments)
            // kubectl finds its plugins in PATH.
            .env("PATH", command::path(&["target/debug", "target/cluster/bin"])?)
            .output()
            .await
            .context("failed to run kubectl")?;
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Printed { code: output.status.code(), text: text.concat() })
    }
}

#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    // Standard output, then standard error.
    pub(crate) text: String,
}

// A kubeconfig of a user with the role `view` in the namespace, and no other permission.
async fn viewer(namespace: &Namespace, folder: &TempDir) -> Result<PathBuf> {
    namespace.kubectl(&["create", "serviceaccount", "viewer"]).await?;
    let account = format!("--serviceaccount={}:viewer", namespace.name);
    namespace.kubectl(&["create", "rolebinding", "viewer", "--clusterrole=view", &account]).await?;
    let token = namespace.kubectl(&["create", "token", "viewer"]).await?;
    let path = folder.path().join("kubeconfig");
    std::fs::copy(&namespace.cluster.kubeconfig, &path)?;
    let flag = format!("--kubeconfig={}", path.display());
    let credentials = format!("--token={}", token.trim());
    namespace.kubectl(&[&flag, "config", "set-credentials", "viewer", &credentials]).await?;
    namespace.kubectl(&[&flag, "config", "set-context", "--current", "--user=viewer"]).await?;
    Ok(path)
}

#[test]
fn a_ready_stack_is_printed_without_its_password_for_its_owner_and_for_a_viewer() -> Result<()> {
    with_namespace("plugin", async |namespace| {
        namespace.apply_and_wait("shop", "{}").await?;
        let password = namespace.password("shop-db-app").await?;
        let plugin = Plugin::build(namespace).await?;

        let status = plugin.run("status", &["shop"]).await?;
        assert_eq!(status.code, Some(0), "{}", status.text);
        for text in ["shop ready", "StatefulSet shop-db", "1/1 ready", "Pod shop-db-0", "2/2 ready"] {
            ensure!(status.text.contains(text), "{text}: {}", status.text);
        }

        let query = "select session_user, count(*) from todos";
        let psql = ["shop", "--", "--tuples-only", "--no-align", "--command", query];
        let rows = plugin.run("psql", &psql).await?;
        assert_eq!((rows.code, rows.text.trim()), (Some(0), "todo|0"));

        let folder = TempDir::new()?;
        let by_viewer = plugin.run_by(viewer(namespace, &folder).await?);
        let limited = by_viewer.run("status", &["shop", "--output", "json"]).await?;
        assert_eq!(limited.code, Some(0), "{}", limited.text);
        for text in ["\"health\": \"ready\"", "not allowed to list Secrets: CredentialsValid is shown"] {
            ensure!(limited.text.contains(text), "{text}: {}", limited.text);
        }
        for printed in [status, rows, limited] {
            ensure!(!printed.text.contains(&password), "a password was printed");
        }
        Ok(())
    })
}

#[test]
fn a_stack_that_is_not_ready_is_explained_from_symptom_to_root_cause() -> Result<()> {
    with_namespace("plugin", async |namespace| {
        namespace.apply("shop", "{database: {postgres: {storage: {storageClassName: golden}}}}").await?;
        namespace.until_not_ready("shop", Reason::StorageClassNotFound, "golden").await?;
        let plugin = Plugin::build(namespace).await?;

        let explained = plugin.run("explain", &["shop"]).await?;
        assert_eq!(explained.code, Some(1), "{}", explained.text);
        let order =
            ["API:", "Migrations:", "Database:", "Storage (StorageClassNotFound)", "golden", "remedy"];
        let positions: Vec<_> = order.iter().map(|text| explained.text.find(text)).collect();
        let are_all_found = positions.iter().all(Option::is_some);
        ensure!(are_all_found && positions.is_sorted(), "{positions:?}: {}", explained.text);

        let doctor = plugin.run("doctor", &[]).await?;
        assert_eq!(doctor.code, Some(1), "{}", doctor.text);
        ensure!(doctor.text.contains("Stacks: 0 of 1 ready"), "{}", doctor.text);

        let folder = TempDir::new()?;
        let by_viewer = plugin.run_by(viewer(namespace, &folder).await?);
        let limited = by_viewer.run("explain", &["shop"]).await?;
        ensure!(limited.text.contains("Storage (StorageClassNotFound)"), "{}", limited.text);

        let missing = plugin.run("status", &["nothing"]).await?;
        assert_eq!(missing.code, Some(2), "{}", missing.text);
        ensure!(missing.text.contains("TodoStack nothing not found"), "{}", missing.text);
        Ok(())
    })
}
