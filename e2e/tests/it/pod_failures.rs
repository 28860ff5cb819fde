//! Stacks whose pods cannot run: the reported reason, and the object or the field to change.

use std::path::Path;

use anyhow::{Result, ensure};
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    credentials::Login,
    image,
    namespace::{with_namespace, with_namespace_on_nfs_node},
    nfs_node::{NODE, SERVER},
    registry::{self, PRIVATE_IMAGE, PrivateRegistry},
    remedy::Step,
    stack::{HEALED_WITHIN, SOON},
    symptom::Symptom,
    wait,
};

// The taint of the node with NFS.
const NODE_TOLERATION: &str = "[{key: todostack.dev/nfs, operator: Exists}]";

// Names of cases are part of the names of captures in stack/src/diagnose/captured.
#[rstest]
#[case::image_name(
    "{api: {image: 'Shop/Api:1'}, database: {sqlite: {}}}",
    Symptom::ContainerWaiting("InvalidImageName"),
    Reason::InvalidImageName,
    "Shop/Api:1",
    Some(Step::Set("spec.api.image", Some("null")))
)]
#[case::image(
    "{api: {image: 'localhost/nowhere:1'}, database: {sqlite: {}}}",
    Symptom::ContainerWaiting("ErrImagePull"),
    Reason::ImageNotFound,
    "localhost/nowhere:1",
    Some(Step::Set("spec.api.image", Some("null")))
)]
#[case::never_pulled(
    "{api: {image: 'localhost/nowhere:1', imagePullPolicy: Never}, database: {sqlite: {}}}",
    Symptom::ContainerWaiting("ErrImageNeverPull"),
    Reason::ErrImageNeverPull,
    "localhost/nowhere:1",
    Some(Step::Set("spec.api.image", Some("null")))
)]
#[case::registry(
    "{api: {image: 'registry.invalid/nowhere:1'}, database: {sqlite: {}}}",
    Symptom::ContainerWaiting("ErrImagePull"),
    Reason::ImagePullBackOff,
    "registry.invalid/nowhere:1",
    Some(Step::Set("spec.api.image", Some("null")))
)]
#[case::crash(
    "{api: {image: 'docker.io/library/postgres:18'}, database: {sqlite: {}}}",
    Symptom::ContainerFailed,
    Reason::CrashLoopBackOff,
    "serve: not found",
    None
)]
#[case::memory(
    "{database: {postgres: {resources: {limits: {memory: 24Mi}, requests: {memory: 24Mi}}}}}",
    Symptom::ContainerFailed,
    Reason::OOMKilled,
    "spec.database.postgres.resources",
    Some(Step::Set("spec.database.postgres.resources.limits.memory", Some("256Mi")))
)]
#[case::processors(
    "{api: {resources: {requests: {cpu: '1000'}}}, database: {sqlite: {}}}",
    Symptom::Unschedulable,
    Reason::InsufficientResources,
    "spec.api.resources",
    Some(Step::Set("spec.api.resources", Some("{requests: {cpu: 10m}}")))
)]
#[case::node(
    "{database: {postgres: {nodeSelector: {shelf: top}, tolerations: [{operator: Exists}]}}}",
    Symptom::Unschedulable,
    Reason::Unschedulable,
    "nodeSelector",
    Some(Step::Set(
        "spec.database.postgres.nodeSelector",
        Some("{kubernetes.io/hostname: node-1, shelf: null}")
    ))
)]
#[case::too_small_to_begin(
    "{api: {resources: {limits: {memory: 1Mi}, requests: {memory: 1Mi}}}, database: {sqlite: {}}}",
    Symptom::Event("FailedCreatePodSandBox", "shop-api-"),
    Reason::CreateContainerError,
    "limits.memory",
    Some(Step::Set("spec.api.resources.limits.memory", Some("128Mi")))
)]
fn what_keeps_a_pod_from_running_is_reported(
    #[case] spec: &str,
    #[case] symptom: Symptom,
    #[case] reason: Reason,
    #[case] mention: &str,
    #[case] remedy: Option<Step<'_>>,
) -> Result<()> {
    with_namespace("cause", async |namespace| {
        let watch = namespace.apply_and_watch_for("shop", spec, symptom).await?;
        let message = watch.diagnosed_as(reason, mention).await?;
        // The remedy of an unknown error is to read its log, and some cannot be followed on this cluster.
        let Some(step) = remedy else { return Ok(()) };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// The template of a Job cannot change, so the migration is created again.
#[test]
fn a_migration_that_is_unschedulable_runs_once_its_remedy_is_followed() -> Result<()> {
    with_namespace("selector", async |namespace| {
        let spec = "{api: {nodeSelector: {shelf: top}}}";
        let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Unschedulable).await?;
        let message = watch.diagnosed_as(Reason::UntoleratedTaint, "The migration pod").await?;
        namespace.follow("shop", &message, Step::Set("spec.api.nodeSelector", Some("null"))).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// The node lacks the image of the API, so the pod is scheduled, and does not start.
#[test]
fn an_api_pod_is_scheduled_once_its_taint_is_tolerated() -> Result<()> {
    with_namespace_on_nfs_node("taint", async |namespace| {
        namespace.cluster.require_nfs_node().await?;
        let spec = "{api: {nodeSelector: {kubernetes.io/hostname: nfsnode}}, database: {sqlite: {}}}";
        let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Unschedulable).await?;
        let message = watch.diagnosed_as(Reason::UntoleratedTaint, "An API pod").await?;
        let step = Step::Set("spec.api.tolerations", Some(NODE_TOLERATION));
        namespace.follow("shop", &message, step).await?;
        let scheduled = "--for=jsonpath={.spec.nodeName}=nfsnode";
        let pods = ["wait", scheduled, "pod", "--selector", "todostack.dev/stack=shop", "--timeout=60s"];
        let is_scheduled = async || namespace.kubectl(&pods).await.map(drop);
        wait::eventually("scheduled", SOON * 2, is_scheduled).await
    })
}

// Volumes of the default class do not work on that node.
#[test]
fn a_database_starts_once_its_taint_is_tolerated() -> Result<()> {
    with_namespace_on_nfs_node("tainted", async |namespace| {
        let nfs = format!("{{nfs: {{server: {SERVER}, path: {}}}}}", namespace.export().await?);
        let postgres = format!("{{storage: {nfs}, nodeSelector: {{kubernetes.io/hostname: {NODE}}}}}");
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {postgres}}}}}");
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::Unschedulable).await?;
        let message = watch.diagnosed_as(Reason::UntoleratedTaint, "tolerations").await?;
        let step = Step::Set("spec.database.postgres.tolerations", Some(NODE_TOLERATION));
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn an_image_without_the_command_is_reported() -> Result<()> {
    with_namespace("command", async |namespace| {
        // The API's image contains one program and no shell.
        let image = namespace.cluster.api_image().await?;
        let spec = format!("{{database: {{postgres: {{image: '{image}'}}}}}}");
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let message = watch.diagnosed_as(Reason::ContainerCommandNotFound, &image).await?;
        let default = Step::Set("spec.database.postgres.image", Some("null"));
        namespace.follow("shop", &message, default).await?;
        namespace.until_ready_within(HEALED_WITHIN, "shop").await.map(drop)
    })
}

#[test]
fn an_image_with_another_user_starts_once_the_stack_has_that_user() -> Result<()> {
    with_namespace("user", async |namespace| {
        let image = image::import_postgres_of_alpine().await?;
        let spec = format!("{{api: {{replicas: 1}}, database: {{postgres: {{image: '{image}'}}}}}}");
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let message = watch.diagnosed_as(Reason::ImageUserMismatch, image).await?;
        let step = Step::Set("spec.database.postgres.runAsUser", None);
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn an_image_for_another_architecture_is_reported() -> Result<()> {
    with_namespace("processor", async |namespace| {
        let image = image::import_for_wrong_architecture().await?;
        let spec =
            format!("{{api: {{image: '{image}', imagePullPolicy: Never}}, database: {{sqlite: {{}}}}}}");
        let watch = namespace.apply_and_watch_for("shop", &spec, Symptom::ContainerFailed).await?;
        let mention = "built for the node's architecture";
        let message = watch.diagnosed_as(Reason::ImageArchitectureMismatch, mention).await?;
        namespace.follow("shop", &message, Step::Set("spec.api.image", Some("null"))).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// The StatefulSet controller does not replace a pod that never becomes ready.
#[rstest]
#[case::image(
    "{image: 'localhost/nowhere:18'}",
    Reason::ImageNotFound,
    Step::Set("spec.database.postgres.image", Some("null"))
)]
#[case::parameter(
    "{parameters: {shared_buffers: plenty}}",
    Reason::CrashLoopBackOff,
    Step::Set("spec.database.postgres.parameters", Some("{shared_buffers: null}"))
)]
fn a_database_that_cannot_start_is_ready_within_a_minute_of_its_correction(
    #[case] postgres: &str,
    #[case] reason: Reason,
    #[case] step: Step<'_>,
) -> Result<()> {
    with_namespace("corrected", async |namespace| {
        namespace.apply_and_wait("shop", "{api: {replicas: 1}}").await?;
        let before = vec![namespace.todos("shop").add("outlive the mistake").await?];
        namespace
            .apply("shop", &format!("{{api: {{replicas: 1}}, database: {{postgres: {postgres}}}}}"))
            .await?;
        let message = namespace.until_not_ready("shop", reason, "").await?;
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready_within(HEALED_WITHIN, "shop").await?;
        assert_eq!(namespace.todos("shop").list_eventually().await?, before);
        Ok(())
    })
}

#[test]
fn a_registry_that_denies_access_is_reported_and_the_pods_start_with_its_pull_secret() -> Result<()> {
    with_namespace("registry", async |namespace| {
        let image = namespace.cluster.api_image().await?;
        let _registry = PrivateRegistry::start(&image).await?;
        let selector = format!("{{kubernetes.io/hostname: {}}}", registry::NODE);
        let api = format!("{{replicas: 1, image: '{PRIVATE_IMAGE}', nodeSelector: {selector}}}");
        let symptom = Symptom::ContainerWaiting("ErrImagePull");
        let watch = namespace.apply_and_watch_for("shop", &format!("{{api: {api}}}"), symptom).await?;
        let message = watch.diagnosed_as(Reason::ImagePullUnauthorized, PRIVATE_IMAGE).await?;
        let values = [registry::SERVER, "shop", "hush-3a9e"];
        let create = Step::Run { after: "Create a Secret", folder: Path::new("."), values: &values };
        namespace.follow("shop", &message, create).await?;
        namespace.follow("shop", &message, Step::Set("spec.api.imagePullSecrets", None)).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// A control character, and one that RFC 4013 prohibits: `sqlx` can send neither.
#[rstest]
#[case::control("hush\u{7}hush-2e8d")]
#[case::emoji("hush🔑hush-4d7b")]
fn a_password_that_cannot_be_sent_is_reported_by_key_and_position(#[case] password: &str) -> Result<()> {
    with_namespace("bytes", async |namespace| {
        namespace.apply_login("own", Login { username: "shop", password }).await?;
        let spec = "{database: {postgres: {credentialsSecret: {name: own}}}}";
        let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Applied).await?;
        let message = watch.diagnosed_as(Reason::SecretKeyInvalid, "password").await?;
        ensure!(message.contains("position 5") && !message.contains("hush"), "{message}");
        let step = Step::Run { after: "key password", folder: Path::new("."), values: &["hush-8c1f"] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
