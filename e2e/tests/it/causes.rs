//! Stacks whose pods cannot run: the cause is named by its own reason, with the object and the line to change.

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::LimitRange;
use kube::api::PostParams;
use rstest::rstest;
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::namespace::with_namespace;

#[rstest]
#[case::image_name(
    "{api: {image: 'Shop/Api:1'}, database: {sqlite: {}}}",
    Reason::ImageNameInvalid,
    "Shop/Api:1"
)]
#[case::image(
    "{api: {image: 'localhost/nowhere:1'}, database: {sqlite: {}}}",
    Reason::ImageNotFound,
    "localhost/nowhere:1"
)]
#[case::registry(
    "{api: {image: 'registry.invalid/nowhere:1'}, database: {sqlite: {}}}",
    Reason::ImagePullFailed,
    "registry.invalid/nowhere:1"
)]
#[case::memory(
    "{database: {postgres: {resources: {limits: {memory: 24Mi}, requests: {memory: 24Mi}}}}}",
    Reason::OutOfMemory,
    "spec.database.postgres.resources"
)]
#[case::processors(
    "{api: {resources: {requests: {cpu: '1000'}}}, database: {sqlite: {}}}",
    Reason::InsufficientResources,
    "spec.api.resources"
)]
#[case::node(
    "{database: {postgres: {nodeSelector: {shelf: top}, tolerations: [{operator: Exists}]}}}",
    Reason::Unschedulable,
    "nodeSelector"
)]
#[case::taint(
    "{database: {postgres: {nodeSelector: {kubernetes.io/hostname: nfsnode}}}}",
    Reason::TaintNotTolerated,
    "tolerations"
)]
#[tokio::test]
async fn what_keeps_a_pod_from_running_is_named(
    #[case] spec: &str,
    #[case] reason: Reason,
    #[case] named: &str,
) -> Result<()> {
    with_namespace("cause", async |namespace| {
        namespace.apply("shop", spec).await?;
        namespace.blocked_by("shop", reason, named).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_named() -> Result<()> {
    with_namespace("quota", async |namespace| {
        namespace.kubectl(&["create", "quota", "small", "--hard=pods=0"]).await?;
        namespace.apply("shop", "{database: {sqlite: {}}}").await?;
        namespace.blocked_by("shop", Reason::QuotaExceeded, "small").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_limit_range_that_is_too_small_is_named() -> Result<()> {
    with_namespace("limits", async |namespace| {
        let range: LimitRange = serde_json::from_value(json!({
            "metadata": {"name": "small"},
            "spec": {"limits": [{"type": "Container", "max": {"memory": "11Mi"}}]},
        }))?;
        namespace.api::<LimitRange>().create(&PostParams::default(), &range).await?;
        namespace.apply("shop", "{database: {sqlite: {}}}").await?;
        namespace.blocked_by("shop", Reason::LimitRangeViolated, "11Mi").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_host_name_that_another_stack_has_is_named_on_the_later_one() -> Result<()> {
    with_namespace("host", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {host: host-taken.localhost}}";
        namespace.apply("first", spec).await?;
        namespace.ready("first").await?;
        namespace.apply("second", spec).await?;
        namespace.blocked_by("second", Reason::HostTaken, "first").await?;
        namespace.ready("first").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_password_that_no_client_can_send_is_named_by_key_and_not_shown() -> Result<()> {
    with_namespace("bytes", async |namespace| {
        let login = [
            "create",
            "secret",
            "generic",
            "own",
            "--from-literal=username=shop",
            "--from-literal=password=hush\u{7}hush",
        ];
        namespace.kubectl(&login).await?;
        namespace.apply("shop", "{database: {postgres: {credentialsSecret: {name: own}}}}").await?;
        let message = namespace.blocked_by("shop", Reason::SecretKeyInvalid, "password").await?;
        ensure!(!message.contains("hush"), "{message}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_login_that_a_database_refuses_is_named_and_works_once_it_is_corrected() -> Result<()> {
    with_namespace("login", async |namespace| {
        namespace.kubectl(&["apply", "--filename", "examples/external-database"]).await?;
        let login = |password: &'static str| {
            [
                "create",
                "secret",
                "generic",
                "own",
                "--from-literal=host=shop-database",
                "--from-literal=port=5432",
                "--from-literal=dbname=shop",
                "--from-literal=username=shop",
                password,
            ]
        };
        namespace.kubectl(&login("--from-literal=password=wrong")).await?;
        namespace.ready("external").await?;
        namespace.apply("shop", "{database: {external: {secret: {name: own}}}}").await?;
        namespace.blocked_by("shop", Reason::LoginRefused, "Secret").await?;

        namespace.kubectl(&["delete", "secret", "own"]).await?;
        namespace.kubectl(&login("--from-literal=password=change me: it's only an example")).await?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}
