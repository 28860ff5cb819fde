//! Specs that the API server rejects by the schema or a validation rule of the CRD.

use anyhow::{Context as _, Result, ensure};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_e2e::{
    cluster::Cluster,
    namespace::{Namespace, with_namespace},
    stack::manifest,
};

// Fails unless `kubectl apply --server-side --dry-run=server` reports an error that contains `mention`.
async fn ensure_rejected(name: &str, spec: &str, mention: &str) -> Result<()> {
    let (cluster, _permit) = Cluster::shared().await?;
    let stacks = Api::<TodoStack>::default_namespaced(cluster.client);
    let dry_run = PatchParams { dry_run: true, ..PatchParams::apply("e2e").validation_strict() };
    let applied = stacks.patch(name, &dry_run, &Patch::Apply(manifest(name, spec)?)).await;
    let message = applied.err().context("it was accepted")?.to_string();
    ensure!(message.contains(mention), "{message}");
    Ok(())
}

#[rstest]
#[case::two_databases(
    "{database: {postgres: {}, sqlite: {}}}",
    "spec.database must have at most one of postgres, external and sqlite"
)]
#[case::two_storages(
    "{database: {postgres: {storage: {storageClassName: fast, nfs: {server: nas, path: /e}}}}}",
    "spec.database.postgres.storage must have at most one of nfs and storageClassName"
)]
#[case::soft_mount(
    "{database: {postgres: {storage: {nfs: {server: nas, path: /e, mountOptions: [soft]}}}}}",
    "storage.nfs.mountOptions must not contain soft"
)]
#[case::mount_without_locks(
    "{database: {postgres: {storage: {nfs: {server: nas, path: /e, mountOptions: [hard, nolock]}}}}}",
    "storage.nfs.mountOptions must not contain soft"
)]
#[case::sqlite_with_two_replicas(
    "{database: {sqlite: {}}, api: {replicas: 2}}",
    "spec.api.replicas must be 0 or 1 with spec.database.sqlite"
)]
#[case::tls_without_host(
    "{exposure: {ingress: {tls: {secretName: t}}}}",
    "spec.exposure.ingress.tls requires spec.exposure.host"
)]
#[case::own_setting(
    "{database: {postgres: {parameters: {port: '1'}}}}",
    "spec.database.postgres.parameters must not set data_directory"
)]
#[case::dangerous_setting(
    "{database: {postgres: {parameters: {fsync: 'off'}}}}",
    "without which a crash corrupts the data"
)]
#[case::own_label(
    "{api: {podMetadata: {labels: {app.kubernetes.io/name: x}}}}",
    "podMetadata.labels must not set labels of todostack.dev"
)]
#[case::own_annotation(
    "{database: {postgres: {podMetadata: {annotations: {todostack.dev/x: x}}}}}",
    "podMetadata.annotations must not set annotations of todostack.dev"
)]
#[case::bad_label("{api: {podMetadata: {labels: {team: 'no spaces'}}}}", "spec.api.podMetadata.labels.team")]
#[case::bad_affinity("{api: {affinity: {nodeAfinity: {}}}}", "field not declared in schema")]
#[case::incomplete_constraint(
    "{api: {topologySpreadConstraints: [{topologyKey: zone}]}}",
    "spec.api.topologySpreadConstraints[0].maxSkew"
)]
#[case::old_version("{database: {postgres: {version: '13'}}}", "spec.database.postgres.version")]
#[case::relative_path("{database: {postgres: {storage: {nfs: {server: nas, path: e}}}}}", "storage.nfs.path")]
#[case::other_spelling(
    "{database: {postgres: {storage: {nfs: {server: nas, path: /e//x}}}}}",
    "one spelling"
)]
#[case::no_size("{database: {postgres: {storage: {size: much}}}}", "storage.size")]
#[case::bad_host("{exposure: {host: 'shop example'}}", "spec.exposure.host")]
#[case::nfs_under_sqlite(
    "{database: {sqlite: {storage: {nfs: {server: nas, path: /e}}}}}",
    "field not declared in schema"
)]
#[case::negative_replicas("{api: {replicas: -1}}", "spec.api.replicas")]
#[tokio::test]
async fn a_spec_that_violates_a_rule_is_rejected(#[case] spec: &str, #[case] mention: &str) -> Result<()> {
    ensure_rejected("shop", spec, mention).await
}

#[rstest]
#[case::long("a-name-of-more-than-forty-characters-is-rejected")]
#[case::dotted("shop.one")]
#[tokio::test]
async fn a_name_that_is_no_short_dns_label_is_rejected(#[case] name: &str) -> Result<()> {
    ensure_rejected(name, "{}", "metadata.name must be a DNS label of at most 40 characters").await
}

const NFS: &str =
    "{paused: true, database: {postgres: {storage: {size: 2Gi, nfs: {server: nas, path: /e}}}}}";
const CLASS: &str =
    "{paused: true, database: {postgres: {version: '18', storage: {size: 2Gi, storageClassName: fast}}}}";

// The stacks are paused, so that the operator creates nothing.
#[rstest]
#[case::server(
    NFS,
    "{database: {postgres: {storage: {nfs: {server: other, path: /e}}}}}",
    "storage.nfs.server and storage.nfs.path cannot change"
)]
#[case::path(
    NFS,
    "{database: {postgres: {storage: {nfs: {server: nas, path: /f}}}}}",
    "storage.nfs.server and storage.nfs.path cannot change"
)]
#[case::nfs_removed(
    NFS,
    "{database: {postgres: {storage: {nfs: null}}}}",
    "storage.nfs cannot be added or removed"
)]
#[case::shrunk(CLASS, "{database: {postgres: {storage: {size: 1500Mi}}}}", "storage.size cannot shrink")]
#[case::class(
    CLASS,
    "{database: {postgres: {storage: {storageClassName: slow}}}}",
    "storage.storageClassName cannot change"
)]
#[case::shrunk_by_removing_the_block(
    CLASS,
    "{database: {postgres: {storage: null}}}",
    "storage.size cannot shrink"
)]
#[case::class_removed(
    CLASS,
    "{database: {postgres: {storage: {storageClassName: null}}}}",
    "storage.storageClassName cannot change"
)]
#[case::class_added(
    "{paused: true}",
    "{database: {postgres: {storage: {storageClassName: slow}}}}",
    "storage.storageClassName cannot change"
)]
#[case::class_of_sqlite(
    "{paused: true, database: {sqlite: {}}}",
    "{database: {sqlite: {storage: {storageClassName: slow}}}}",
    "storage.storageClassName cannot change"
)]
#[case::to_sqlite(CLASS, "{database: {postgres: null, sqlite: {}}}", "spec.database cannot change between")]
fn a_change_that_would_lose_access_to_the_data_is_rejected(
    #[case] old: &str,
    #[case] change: &str,
    #[case] mention: &str,
) -> Result<()> {
    with_namespace("rejected", async |namespace| {
        namespace.apply("shop", old).await?;
        let error = merge(namespace, change).await.err().context("the change was accepted")?;
        ensure!(error.to_string().contains(mention), "{error}");
        Ok(())
    })
}

#[test]
fn a_volume_may_grow_and_go_back_to_what_is_bound() -> Result<()> {
    with_namespace("grow", async |namespace| {
        namespace.apply("shop", CLASS).await?;
        merge(namespace, "{database: {postgres: {storage: {size: 3Gi}}}}").await?;
        set_status(namespace, &json!({"storage": {"claim": "shop-db", "size": "2Gi"}})).await?;
        merge(namespace, "{database: {postgres: {storage: {size: 2048Mi}}}}").await?;
        let below = merge(namespace, "{database: {postgres: {storage: {size: 2047Mi}}}}").await;
        let error = below.err().context("it shrank")?;
        ensure!(error.to_string().contains("storage.size cannot shrink"), "{error}");
        Ok(())
    })
}

#[rstest]
#[case::written("{database: {postgres: {version: '17'}}}")]
#[case::left_out("{database: null}")]
fn the_version_may_change_until_the_data_directory_is_initialized(#[case] change: &str) -> Result<()> {
    with_namespace("version", async |namespace| {
        let sixteen = "{paused: true, database: {postgres: {version: '16'}}}";
        namespace.apply("shop", sixteen).await?;
        merge(namespace, change).await?;
        merge(namespace, "{database: {postgres: {version: '16'}}}").await?;
        let database = json!({"version": "postgres 16", "systemIdentifier": "7"});
        set_status(namespace, &json!({"database": database})).await?;
        let error = merge(namespace, change).await.err().context("the change was accepted")?;
        ensure!(error.to_string().contains("spec.database.postgres.version cannot change"), "{error}");
        Ok(())
    })
}

async fn set_status(namespace: &Namespace, status: &Value) -> Result<()> {
    let patch = Patch::Merge(json!({"status": status}));
    namespace.stacks().patch_status("shop", &PatchParams::default(), &patch).await?;
    Ok(())
}

async fn merge(namespace: &Namespace, spec: &str) -> Result<TodoStack, anyhow::Error> {
    let change = Patch::Merge(manifest("shop", spec)?);
    Ok(namespace.stacks().patch("shop", &PatchParams::default(), &change).await?)
}
