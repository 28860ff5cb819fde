//! No output but Secrets contains a byte of a password. Each test ends with that search (`namespace.rs`);
//! here it runs on the stacks that write most, and is tested itself.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;
use todostack_crds::Reason;
use todostack_e2e::{
    credentials::Login,
    external_database::OWNER,
    namespace::{Namespace, Searched, with_namespace},
    stack::READY_WITHIN,
    wait,
};

// With characters that JSON, base64 and percent-encoding each write differently.
const FIRST: Login<'_> = Login { username: "shop", password: "hush-1+\"a\"/%41=&ß" };
const SECOND: Login<'_> = Login { username: "shop", password: "hush-2+\"b\"/%42=&ß" };
const WRONG: Login<'_> = Login { username: "shop", password: "hush-3+\"c\"/%43=&ß" };

#[test]
fn no_output_contains_a_password() -> Result<()> {
    with_namespace("secrecy", async |namespace| {
        run_two_stacks(namespace).await?;
        namespace.search_for_secrets().await?;

        // A rotation and a restart of the server log more than the first start.
        namespace.apply_login("own", SECOND).await?;
        wait::eventually("changed", READY_WITHIN, async || {
            ensure!(namespace.password("shop-db-app").await? == SECOND.password, "the old password");
            Ok(())
        })
        .await?;
        namespace.until_ready("shop").await?;
        let pods = namespace.api::<Pod>();
        let old = pods.get("shop-db-0").await?;
        pods.delete("shop-db-0", &DeleteParams::default()).await?;
        wait::until_replaced(&pods, &old, READY_WITHIN).await?;
        namespace.kubectl(&["rollout", "status", "statefulset/shop-db", "--timeout=180s"]).await?;
        namespace.until_ready("shop").await?;

        let Searched { values, places } = namespace.search_for_secrets().await?;
        ensure!(values >= 12, "only {values} values");
        for place in [
            "todostacks",
            "pods",
            "jobs",
            "events",
            "persistentvolumes",
            "customresourcedefinitions",
            "the log of shop-api",
            "the log of shop-db-0",
            "the log of todostack-operator",
            &format!("the metrics of {}/pods/shop-api", namespace.name),
            "the metrics of todostack-system/services",
        ] {
            ensure!(places.iter().any(|it| it.starts_with(place)), "{place} is not among {places:?}");
        }
        Ok(())
    })
}

#[test]
fn a_leaked_password_is_found_even_after_its_rotation() -> Result<()> {
    with_namespace("leak", async |namespace| {
        namespace.apply_login("own", FIRST).await?;
        namespace.search_for_secrets().await?;
        namespace.apply_login("own", SECOND).await?;
        let literal = format!("--from-literal=dsn=postgres://{}@db", FIRST.password);
        namespace.kubectl(&["create", "configmap", "leak", &literal]).await?;
        let error = namespace.search_for_secrets().await.err().context("the leak was not found")?;
        assert_eq!(error.to_string(), "password of Secret own occurs in configmaps");
        namespace.kubectl(&["delete", "configmap", "leak"]).await.map(drop)
    })
}

// A stack with the user's own credentials, and one on an external database that rejects the first password.
async fn run_two_stacks(namespace: &Namespace) -> Result<()> {
    namespace.apply_login("own", FIRST).await?;
    let managed = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: own}}}}";
    namespace.apply("shop", managed).await?;
    namespace.external_database(OWNER, &[]).await?;
    namespace.apply_external_login("theirs", WRONG).await?;
    let external = "{api: {replicas: 1, logLevel: trace}, database: {external: {secret: {name: theirs}}}}";
    namespace.apply("other", external).await?;
    namespace.until_not_ready("other", Reason::AuthenticationFailed, "Secret").await?;
    namespace.apply_external_login("theirs", OWNER).await?;
    for stack in ["shop", "other"] {
        namespace.until_ready(stack).await?;
        namespace.todos(stack).add("keep a secret").await?;
    }
    Ok(())
}
