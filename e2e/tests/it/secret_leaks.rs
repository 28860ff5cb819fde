//! No byte of a password in anything that is written, beside the Secrets themselves: every test ends with that search
//! (`namespace.rs`); here it is what the stacks do that write the most, and the search itself.

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

/// With signs that JSON, base64 and addresses each write in their own way.
const FIRST: &str = "hush-1+\"a\"/%41=&ß";
const SECOND: &str = "hush-2+\"b\"/%42=&ß";
const WRONG: &str = "hush-3+\"c\"/%43=&ß";

#[tokio::test]
async fn no_password_stands_in_anything_that_is_written() -> Result<()> {
    with_namespace("secrecy", async |namespace| {
        live(namespace).await?;
        namespace.search().await?;

        // A changed login and a server that starts anew write what a start does not.
        namespace.bring("own", Login { username: "shop", password: SECOND.as_bytes() }, &[]).await?;
        wait::eventually("changed", READY_WITHIN, async || {
            ensure!(namespace.password("shop-db-app").await? == SECOND, "the old password");
            Ok(())
        })
        .await?;
        namespace.ready("shop").await?;
        namespace.api::<Pod>().delete("shop-db-0", &DeleteParams::default()).await?;
        namespace.kubectl(&["rollout", "status", "statefulset/shop-db", "--timeout=180s"]).await?;
        namespace.ready("shop").await?;

        let Searched { values, places } = namespace.search().await?;
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
            ensure!(places.iter().any(|it| it.starts_with(place)), "{place}: not among {places:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_password_that_stands_elsewhere_is_found() -> Result<()> {
    with_namespace("leak", async |namespace| {
        namespace.bring("own", Login { username: "shop", password: FIRST.as_bytes() }, &[]).await?;
        namespace.search().await?;
        // It was replaced, and is a secret all the same.
        namespace.bring("own", Login { username: "shop", password: SECOND.as_bytes() }, &[]).await?;
        namespace
            .kubectl(&["create", "configmap", "leak", &format!("--from-literal=dsn=postgres://{FIRST}@db")])
            .await?;
        let found = namespace.search().await.err().context("nothing was found")?.to_string();
        assert_eq!(found, "password of Secret own stands in configmaps");
        namespace.kubectl(&["delete", "configmap", "leak"]).await.map(drop)
    })
    .await
}

/// A stack with a login that its owner brought, and one on somebody else's database that is refused first.
async fn live(namespace: &Namespace) -> Result<()> {
    namespace.bring("own", Login { username: "shop", password: FIRST.as_bytes() }, &[]).await?;
    let managed = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: own}}}}";
    namespace.apply("shop", managed).await?;
    namespace.external_database(OWNER, &[]).await?;
    let wrong = Login { username: "shop", password: WRONG.as_bytes() };
    namespace.external_login("theirs", wrong).await?;
    let external = "{api: {replicas: 1, logLevel: trace}, database: {external: {secret: {name: theirs}}}}";
    namespace.apply("other", external).await?;
    namespace.blocked_by("other", Reason::AuthenticationFailed, "Secret").await?;
    namespace.external_login("theirs", OWNER).await?;
    for stack in ["shop", "other"] {
        namespace.ready(stack).await?;
        namespace.todos(stack).add("said to nobody").await?;
    }
    Ok(())
}
