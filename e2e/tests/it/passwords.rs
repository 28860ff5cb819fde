//! Passwords that people bring: every character works from the Secret to the todo, and a line end at the end is forgiven
//! and said.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use todostack_crds::{ConditionType, Reason};
use todostack_e2e::{
    credentials::Login,
    external_database::OWNER,
    namespace::{Namespace, with_namespace},
    stack::{SOON, condition},
    wait,
};

/// Every printable character of ASCII, the space first and last too, and letters and signs of two and three bytes.
fn every_character() -> String {
    let ascii: String = (' '..='~').collect();
    format!("{ascii}äßéЖ漢€ ")
}

async fn serves(namespace: &Namespace, stack: &str) -> Result<()> {
    namespace.ready(stack).await?;
    let made = namespace.todos(stack).add("written with that password").await?;
    assert_eq!(namespace.todos(stack).answered().await?, vec![made]);
    Ok(())
}

#[tokio::test]
async fn every_character_works_in_a_password_for_a_managed_database() -> Result<()> {
    with_namespace("characters", async |namespace| {
        let password = every_character();
        namespace.bring("own", Login { username: "shop", password: password.as_bytes() }, &[]).await?;
        let spec = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: own}}}}";
        namespace.apply("shop", spec).await?;
        serves(namespace, "shop").await?;
        assert_eq!(namespace.log_in(("shop", &password), "todo").await?, "shop");
        let without_last = password.trim_end().to_owned();
        let refused =
            namespace.log_in(("shop", &without_last), "todo").await.err().context("it was let in")?;
        ensure!(refused.to_string().contains("password authentication failed"), "{refused:#}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_character_works_in_a_password_for_an_external_database() -> Result<()> {
    with_namespace("characters", async |namespace| {
        let password = every_character();
        let login = Login { username: "shop", password: password.as_bytes() };
        namespace.external_database(login, &[]).await?;
        namespace.external_login("own", login).await?;
        let spec = "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}";
        namespace.apply("shop", spec).await?;
        serves(namespace, "shop").await
    })
    .await
}

#[tokio::test]
async fn a_line_end_behind_a_password_is_forgiven_and_said() -> Result<()> {
    with_namespace("lineend", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        let ended = [OWNER.password, b"\n"].concat();
        namespace.external_login("unix", Login { password: &ended, ..OWNER }).await?;
        namespace.bring("windows", Login { username: "shop", password: b"hush-9c3f hush\r\n" }, &[]).await?;
        let external = "{api: {replicas: 1}, database: {external: {secret: {name: unix}}}}";
        let managed = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: windows}}}}";
        namespace.apply("unix", external).await?;
        namespace.apply("shop", managed).await?;
        for (stack, secret) in [("unix", "unix"), ("shop", "windows")] {
            serves(namespace, stack).await?;
            let found = namespace.stacks().get(stack).await?;
            let said = condition(&found, ConditionType::CredentialsValid).context("no condition")?;
            assert_eq!(
                (said.status.as_str(), said.reason.as_str()),
                ("True", Reason::TrailingNewline.as_str())
            );
            ensure!(said.message.contains(&format!("Secret {secret}, key password")), "{}", said.message);
            told_once(namespace, stack).await?;
        }
        assert_eq!(namespace.log_in(("shop", "hush-9c3f hush"), "todo").await?, "shop");
        Ok(())
    })
    .await
}

/// One Event on the stack, not one each pass.
async fn told_once(namespace: &Namespace, stack: &str) -> Result<()> {
    let of_it = ListParams::default()
        .fields(&format!("involvedObject.kind=TodoStack,involvedObject.name={stack},reason=TrailingNewline"));
    let events = wait::eventually("told by an Event", SOON, async || {
        let events = namespace.api::<Event>().list(&of_it).await?.items;
        ensure!(!events.is_empty(), "no Event");
        Ok(events)
    })
    .await?;
    ensure!(events.len() == 1, "{} Events", events.len());
    Ok(())
}
