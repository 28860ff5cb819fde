//! `kubectl todostack` as people call it: through kubectl, with all rights and with the role `view` alone.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use todostack_crds::Reason;
use todostack_e2e::{
    cluster::repository,
    namespace::{Namespace, with_namespace},
};
use tokio::process::Command;

/// The plugin, built, and who calls it.
struct Plugin {
    kubeconfig: PathBuf,
    namespace: String,
}

impl Plugin {
    async fn of(namespace: &Namespace) -> Result<Self> {
        // Another package's program: cargo builds it for nobody but who asks.
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "todostack-cli"])
            .current_dir(repository())
            .status()
            .await?;
        ensure!(built.success(), "cargo build --package todostack-cli: {built}");
        Ok(Self { kubeconfig: namespace.cluster.kubeconfig.clone(), namespace: namespace.name.clone() })
    }

    fn called_by(&self, kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), namespace: self.namespace.clone() }
    }

    /// Runs `kubectl todostack FIRST --namespace … REST`.
    async fn run(&self, first: &str, rest: &[&str]) -> Result<Said> {
        let mut path = OsString::from(repository().join("target/debug"));
        path.push(":");
        path.push(repository().join("target/cluster/bin"));
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        let output = Command::new(repository().join("target/cluster/bin/kubectl"))
            .args(["todostack", first])
            .args(["--namespace", &self.namespace])
            .args(rest)
            .env("PATH", path)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("failed to run kubectl")?;
        Ok(Said::from(output))
    }
}

/// What a call printed, and its exit code.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    text: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Self { code: output.status.code(), text: text.concat() }
    }
}

/// A kubeconfig of somebody who has the role `view` in the namespace, and nothing else.
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

#[tokio::test]
async fn a_stack_that_serves_is_shown_to_its_owner_and_to_a_viewer_without_its_password() -> Result<()> {
    with_namespace("plugin", async |namespace| {
        namespace.apply("shop", "{}").await?;
        namespace.ready("shop").await?;
        let password =
            ["get", "secret", "shop-db-app", "--output", "go-template={{.data.password | base64decode}}"];
        let password = namespace.kubectl(&password).await?;
        let plugin = Plugin::of(namespace).await?;

        let status = plugin.run("status", &["shop"]).await?;
        assert_eq!(status.code, Some(0), "{}", status.text);
        for words in ["shop ready", "StatefulSet shop-db", "1/1 ready", "Pod shop-db-0", "2/2 ready"] {
            ensure!(status.text.contains(words), "{words}: {}", status.text);
        }

        let query = [
            "shop",
            "--",
            "--tuples-only",
            "--no-align",
            "--command",
            "select current_user, count(*) from todos",
        ];
        let rows = plugin.run("psql", &query).await?;
        assert_eq!((rows.code, rows.text.trim()), (Some(0), "todo|0"));

        let folder = TempDir::new()?;
        let viewer = plugin.called_by(&viewer(namespace, &folder).await?);
        let seen = viewer.run("status", &["shop", "--output", "json"]).await?;
        assert_eq!(seen.code, Some(0), "{}", seen.text);
        for words in ["\"health\": \"ready\"", "not allowed to read Secrets: logins are not checked"] {
            ensure!(seen.text.contains(words), "{words}: {}", seen.text);
        }
        for said in [status, rows, seen] {
            ensure!(!said.text.contains(&password), "a password was printed");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stack_that_waits_is_explained_from_symptom_to_cause() -> Result<()> {
    with_namespace("plugin", async |namespace| {
        namespace.apply("shop", "{database: {postgres: {storage: {storageClassName: golden}}}}").await?;
        namespace.blocked_by("shop", Reason::StorageClassNotFound, "golden").await?;
        let plugin = Plugin::of(namespace).await?;

        let explained = plugin.run("explain", &["shop"]).await?;
        assert_eq!(explained.code, Some(1), "{}", explained.text);
        let order = ["API:", "Migrations:", "Database:", "Storage (StorageClassNotFound)", "golden", "do  "];
        let found: Vec<_> = order.iter().map(|words| explained.text.find(words)).collect();
        ensure!(found.iter().all(Option::is_some) && found.is_sorted(), "{found:?}: {}", explained.text);

        let doctor = plugin.run("doctor", &[]).await?;
        assert_eq!(doctor.code, Some(1), "{}", doctor.text);
        ensure!(doctor.text.contains("Stacks: 0 of 1 ready"), "{}", doctor.text);

        let folder = TempDir::new()?;
        let viewer = plugin.called_by(&viewer(namespace, &folder).await?);
        let seen = viewer.run("explain", &["shop"]).await?;
        ensure!(seen.text.contains("Storage (StorageClassNotFound)"), "{}", seen.text);

        let missing = plugin.run("status", &["nothing"]).await?;
        assert_eq!(missing.code, Some(2), "{}", missing.text);
        ensure!(missing.text.contains("there is no TodoStack nothing"), "{}", missing.text);
        Ok(())
    })
    .await
}
