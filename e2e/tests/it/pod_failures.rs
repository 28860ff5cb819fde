//! Stacks whose pods cannot run: the cause is named by its own reason, with the object and the line to change.

use anyhow::{Result, ensure};
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    credentials::Login,
    image,
    namespace::with_namespace,
    registry::{PRIVATE_IMAGE, Registry},
    symptom::Symptom,
};

#[rstest]
#[case::image_name(
    "{api: {image: 'Shop/Api:1'}, database: {sqlite: {}}}",
    Symptom::Waiting("InvalidImageName"),
    (Reason::InvalidImageName, "Shop/Api:1")
)]
#[case::image(
    "{api: {image: 'localhost/nowhere:1'}, database: {sqlite: {}}}",
    Symptom::Waiting("ErrImagePull"),
    (Reason::ImageNotFound, "localhost/nowhere:1")
)]
#[case::never_pulled(
    "{api: {image: 'localhost/nowhere:1', imagePullPolicy: Never}, database: {sqlite: {}}}",
    Symptom::Waiting("ErrImageNeverPull"),
    (Reason::ErrImageNeverPull, "localhost/nowhere:1")
)]
#[case::registry(
    "{api: {image: 'registry.invalid/nowhere:1'}, database: {sqlite: {}}}",
    Symptom::Waiting("ErrImagePull"),
    (Reason::ImagePullBackOff, "registry.invalid/nowhere:1")
)]
#[case::crash(
    "{api: {image: 'docker.io/library/postgres:18'}, database: {sqlite: {}}}",
    Symptom::Ended,
    (Reason::CrashLoopBackOff, "serve: not found")
)]
#[case::memory(
    "{database: {postgres: {resources: {limits: {memory: 24Mi}, requests: {memory: 24Mi}}}}}",
    Symptom::Ended,
    (Reason::OOMKilled, "spec.database.postgres.resources")
)]
#[case::processors(
    "{api: {resources: {requests: {cpu: '1000'}}}, database: {sqlite: {}}}",
    Symptom::Unschedulable,
    (Reason::InsufficientResources, "spec.api.resources")
)]
#[case::node(
    "{database: {postgres: {nodeSelector: {shelf: top}, tolerations: [{operator: Exists}]}}}",
    Symptom::Unschedulable,
    (Reason::Unschedulable, "nodeSelector")
)]
#[case::taint(
    "{database: {postgres: {nodeSelector: {kubernetes.io/hostname: nfsnode}}}}",
    Symptom::Unschedulable,
    (Reason::UntoleratedTaint, "tolerations")
)]
#[case::too_small_to_begin(
    "{api: {resources: {limits: {memory: 1Mi}, requests: {memory: 1Mi}}}, database: {sqlite: {}}}",
    Symptom::Event("FailedCreatePodSandBox", "shop-api-"),
    (Reason::CreateContainerError, "limits.memory")
)]
#[tokio::test]
async fn what_keeps_a_pod_from_running_is_named(
    #[case] spec: &str,
    #[case] symptom: Symptom,
    #[case] cause: (Reason, &str),
) -> Result<()> {
    with_namespace("cause", async |namespace| {
        namespace.apply_and_see(("shop", spec), symptom, cause).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn an_image_without_the_command_is_named() -> Result<()> {
    with_namespace("command", async |namespace| {
        // The API's image has one program and no shell.
        let image = namespace.cluster.api_image().await?;
        let spec = format!("{{database: {{postgres: {{image: '{image}'}}}}}}");
        let cause = (Reason::ContainerCommandNotFound, image.as_str());
        namespace.apply_and_see(("shop", &spec), Symptom::Ended, cause).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn an_image_for_another_processor_is_named() -> Result<()> {
    with_namespace("processor", async |namespace| {
        let image = image::of_another_processor().await?;
        let spec =
            format!("{{api: {{image: '{image}', imagePullPolicy: Never}}, database: {{sqlite: {{}}}}}}");
        let cause = (Reason::ImageArchitectureMismatch, "built for the node's architecture");
        namespace.apply_and_see(("shop", &spec), Symptom::Ended, cause).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_registry_that_does_not_let_the_cluster_in_is_named() -> Result<()> {
    with_namespace("registry", async |namespace| {
        let _registry = Registry::start().await?;
        let spec = format!("{{api: {{image: '{PRIVATE_IMAGE}'}}, database: {{sqlite: {{}}}}}}");
        let cause = (Reason::ImagePullUnauthorized, "imagePullSecret");
        namespace.apply_and_see(("shop", &spec), Symptom::Waiting("ErrImagePull"), cause).await.map(drop)
    })
    .await
}

/// A control byte, and a sign that RFC 4013 has no place for: `sqlx` sends neither.
#[rstest]
#[case::control("hush\u{7}hush-2e8d", "position 5")]
#[case::emoji("hush🔑hush-4d7b", "position 5")]
#[tokio::test]
async fn a_password_that_no_client_can_send_is_named_by_key_and_not_shown(
    #[case] password: &str,
    #[case] position: &str,
) -> Result<()> {
    with_namespace("bytes", async |namespace| {
        namespace.bring("own", Login { username: "shop", password: password.as_bytes() }, &[]).await?;
        let spec = "{database: {postgres: {credentialsSecret: {name: own}}}}";
        let cause = (Reason::SecretKeyInvalid, "password");
        let message = namespace.apply_and_see(("shop", spec), Symptom::Applied, cause).await?;
        ensure!(message.contains(position) && !message.contains("hush"), "{message}");
        Ok(())
    })
    .await
}
