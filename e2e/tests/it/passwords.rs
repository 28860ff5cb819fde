//! Passwords that users provide: every character works, and a trailing newline is ignored and reported.

use anyhow::{Context as _, Result, ensure};
use todostack_crds::{ConditionType, Reason};
use todostack_e2e::{
    credentials::Login,
    external_database::OWNER,
    namespace::{Namespace, with_namespace},
    stack::condition,
};

// Every printable character of ASCII, with a space first and last, and characters of two and three bytes.
fn every_character() -> String {
    let ascii: String = (' '..='~').collect();
    format!("{ascii}äßéЖ漢€ ")
}

async fn ensure_serving(namespace: &Namespace, stack: &str) -> Result<()> {
    namespace.until_ready(stack).await?;
    let todo = namespace.todos(stack).add("written with that password").await?;
    assert_eq!(namespace.todos(stack).list_eventually().await?, vec![todo]);
    Ok(())
}

#[test]
fn every_character_works_in_a_password_for_a_managed_database() -> Result<()> {
    with_namespace("characters", async |namespace| {
        let password = every_character();
        let login = Login { username: "shop", password: &password };
        namespace.apply_login("own", login).await?;
        let spec = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: own}}}}";
        namespace.apply("shop", spec).await?;
        ensure_serving(namespace, "shop").await?;
        assert_eq!(namespace.log_in(login, "todo").await?, "shop");
        namespace.log_in_fails(Login { password: password.trim_end(), ..login }, "todo").await
    })
}

#[test]
fn every_character_works_in_a_password_for_an_external_database() -> Result<()> {
    with_namespace("characters", async |namespace| {
        let password = every_character();
        let login = Login { username: "shop", password: &password };
        namespace.external_database(login, &[]).await?;
        namespace.apply_external_login("own", login).await?;
        let spec = "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}";
        namespace.apply("shop", spec).await?;
        ensure_serving(namespace, "shop").await
    })
}

#[test]
fn a_trailing_newline_of_a_password_is_ignored_and_reported_once() -> Result<()> {
    with_namespace("newline", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        let with_newline = format!("{}\n", OWNER.password);
        namespace.apply_external_login("unix", Login { password: &with_newline, ..OWNER }).await?;
        let windows = Login { username: "shop", password: "hush-9c3f hush\r\n" };
        namespace.apply_login("windows", windows).await?;
        let external = "{api: {replicas: 1}, database: {external: {secret: {name: unix}}}}";
        let managed = "{api: {replicas: 1}, database: {postgres: {credentialsSecret: {name: windows}}}}";
        namespace.apply("unix", external).await?;
        namespace.apply("shop", managed).await?;
        for (name, secret) in [("unix", "unix"), ("shop", "windows")] {
            ensure_serving(namespace, name).await?;
            let stack = namespace.stacks().get(name).await?;
            let valid = condition(&stack, ConditionType::CredentialsValid).context("no condition")?;
            let reason = Reason::TrailingNewline.as_str();
            assert_eq!((valid.status.as_str(), valid.reason.as_str()), ("True", reason));
            ensure!(valid.message.contains(&format!("Secret {secret}, key password")), "{}", valid.message);
            namespace.event(name, reason).await?;
        }
        let without_newline = Login { password: windows.password.trim_end(), ..windows };
        assert_eq!(namespace.log_in(without_newline, "todo").await?, "shop");
        Ok(())
    })
}
