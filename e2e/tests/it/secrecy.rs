//! No byte of a password in anything that a cluster run writes, beside the Secrets themselves.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use http::Request;
use k8s_openapi::{
    ByteString,
    api::core::v1::{Pod, Secret},
};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use todostack_crds::Reason;
use todostack_e2e::{
    cluster::{OPERATOR, OPERATOR_NAMESPACE},
    external::OWNER,
    login::Login,
    namespace::{Namespace, with_namespace},
    stack::READY_WITHIN,
    wait,
};

/// With signs that JSON, base64 and addresses each write in their own way.
const FIRST: &str = "hush-1+\"a\"/%41=&ß";
const SECOND: &str = "hush-2+\"b\"/%42=&ß";
const WRONG: &str = "hush-3+\"c\"/%43=&ß";
/// What the cluster's own programs wrote, where they run on this machine.
const PROGRAMS: &str = "/var/lib/todostack-cluster/log";

#[tokio::test]
async fn no_password_stands_in_anything_that_is_written() -> Result<()> {
    with_namespace("secrecy", async |namespace| {
        let mut known = BTreeMap::from([
            ("the first password".to_owned(), FIRST.to_owned()),
            ("the second password".to_owned(), SECOND.to_owned()),
            ("the wrong password".to_owned(), WRONG.to_owned()),
        ]);
        live(namespace).await?;
        let mut written = written(namespace).await?;
        note_secrets(namespace, &mut known).await?;

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
        written.extend(self::written(namespace).await?);
        note_secrets(namespace, &mut known).await?;

        ensure!(
            known.len() >= 6 && written.len() >= 12,
            "{} passwords, {} texts",
            known.len(),
            written.len()
        );
        for (whose, password) in &known {
            for spelling in spellings(password)? {
                for (place, text) in &written {
                    ensure!(!text.contains(&spelling), "{whose} stands in {place}");
                }
            }
        }
        Ok(())
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
    namespace.blocked_by("other", Reason::LoginRefused, "Secret").await?;
    namespace.external_login("theirs", OWNER).await?;
    for stack in ["shop", "other"] {
        namespace.ready(stack).await?;
        namespace.todos(stack).add("said to nobody").await?;
    }
    Ok(())
}

/// The passwords that stand in Secrets now.
async fn note_secrets(namespace: &Namespace, known: &mut BTreeMap<String, String>) -> Result<()> {
    for secret in namespace.api::<Secret>().list(&ListParams::default()).await? {
        if let Some(password) = secret.data.as_ref().and_then(|data| data.get("password")) {
            known.insert(format!("Secret {}", secret.name_any()), String::from_utf8(password.0.clone())?);
        }
    }
    Ok(())
}

/// Everything that was written, by where.
async fn written(namespace: &Namespace) -> Result<Vec<(String, String)>> {
    let cluster = &namespace.cluster;
    let mut written = Vec::new();
    for kinds in [
        "todostacks,configmaps,deployments,statefulsets,replicasets,controllerrevisions,jobs,services,ingresses",
        "pods,persistentvolumeclaims,serviceaccounts,endpointslices,events,leases",
    ] {
        let get = ["get", kinds, "--output", "yaml", "--show-managed-fields"];
        written.push((kinds.to_owned(), namespace.kubectl(&get).await?));
    }
    for kind in ["persistentvolumes", "customresourcedefinitions"] {
        written.push((kind.to_owned(), cluster.kubectl(&["get", kind, "--output", "yaml"]).await?));
    }
    for pod in namespace.api::<Pod>().list(&ListParams::default()).await? {
        let name = pod.name_any();
        let logs = namespace.kubectl(&["logs", &name, "--all-containers", "--prefix"]).await;
        // A container that waits for its image has no log.
        written.push((format!("the log of {name}"), logs.unwrap_or_default()));
        if name.contains("-api-") {
            let metrics = get(namespace, &format!("{}/pods/{name}:9090", namespace.name)).await?;
            ensure!(metrics.contains("# TYPE"), "{name} has no metrics: {metrics}");
            written.push((format!("the metrics of {name}"), metrics));
        }
    }
    let operator = ["--namespace", OPERATOR_NAMESPACE, "logs", "deployment/todostack-operator", "--tail=-1"];
    written.push(("the operator's log".to_owned(), cluster.kubectl(&operator).await?));
    let metrics = get(namespace, &format!("{OPERATOR_NAMESPACE}/services/{OPERATOR}:http")).await?;
    ensure!(metrics.contains("todostack_writes"), "the operator has no metrics: {metrics}");
    written.push(("the operator's metrics".to_owned(), metrics));
    for file in std::fs::read_dir(PROGRAMS).into_iter().flatten() {
        let path = file?.path();
        written
            .push((path.display().to_string(), String::from_utf8_lossy(&std::fs::read(&path)?).into_owned()));
    }
    Ok(written)
}

async fn get(namespace: &Namespace, below: &str) -> Result<String> {
    let uri = format!("/api/v1/namespaces/{below}/proxy/metrics");
    let answer = namespace.cluster.proxy.send(Request::get(uri).body(kube::client::Body::empty())?).await?;
    Ok(String::from_utf8(answer.into_body().collect_bytes().await?.to_vec())?)
}

/// A password as it is, as base64, in an address, in JSON.
fn spellings(password: &str) -> Result<[String; 4]> {
    let base64 = serde_json::to_value(ByteString(password.as_bytes().to_vec()))?;
    let base64 = base64.as_str().context("base64 is a string")?.trim_end_matches('=').to_owned();
    let json = serde_json::to_string(password)?;
    let address = password.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    Ok([password.to_owned(), base64, address.collect(), json.trim_matches('"').to_owned()])
}

#[test]
fn a_password_is_looked_for_in_every_spelling() -> Result<()> {
    let found = spellings("a\"/ß")?;
    assert_eq!(found, ["a\"/ß", "YSIvw58", "a%22%2F%C3%9F", "a\\\"/ß"]);
    Ok(())
}
