//! Stacks that serve and cannot be reached: no controller for their Ingress or Service, or a host of another
//! stack.

use std::time::Duration;

use anyhow::{Result, ensure};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::{ResourceExt, api::ListParams};
use serde_json::json;
use todostack_crds::{ConditionType, Reason};
use todostack_e2e::{
    cluster_objects::{with_object, without_default_class},
    namespace::{Namespace, with_namespace, with_namespace_alone},
    remedy::Step,
    stack::condition,
    symptom::Symptom,
    wait,
};

const CLASS_FIELD: &str = "spec.exposure.ingress.className";
const CLASS: Step<'_> = Step::Set(CLASS_FIELD, Some("traefik"));

#[test]
fn a_host_of_another_stack_is_reported_on_the_later_one() -> Result<()> {
    with_namespace("host", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {host: host-taken.localhost}}";
        namespace.apply_and_wait("first", spec).await?;
        let watch = namespace.apply_and_watch_for("second", spec, Symptom::Applied).await?;
        let message = watch.diagnosed_as(Reason::HostConflict, "first").await?;
        ensure_host_of(namespace, "first").await?;
        namespace.until_ready("first").await?;
        let free = Step::Set("spec.exposure.host", Some("host-free.localhost"));
        namespace.follow("second", &message, free).await?;
        namespace.until_ready("second").await.map(drop)
    })
}

// By a change of the spec, too: the older stack may want the host later.
#[test]
fn a_host_belongs_to_the_older_stack_and_goes_to_the_later_one_when_it_is_free() -> Result<()> {
    with_namespace("rivals", async |namespace| {
        let (without, with) =
            ("{database: {sqlite: {}}}", "{database: {sqlite: {}}, exposure: {host: rivals.localhost}}");
        namespace.apply_and_wait("first", without).await?;
        namespace.apply_and_wait("second", with).await?;
        ensure_host_of(namespace, "second").await?;

        namespace.apply("first", with).await?;
        namespace.until_not_ready("second", Reason::HostConflict, "first").await?;
        ensure_host_of(namespace, "first").await?;
        namespace.until_ready("first").await?;

        namespace.delete_and_wait("first").await?;
        ensure_host_of(namespace, "second").await?;
        namespace.until_ready("second").await.map(drop)
    })
}

// Waits until only this stack has an Ingress.
async fn ensure_host_of(namespace: &Namespace, stack: &str) -> Result<()> {
    wait::eventually("given the host", Duration::from_secs(15), async || {
        let ingresses = namespace.api::<Ingress>().list(&ListParams::default()).await?;
        let names: Vec<_> = ingresses.iter().map(ResourceExt::name_any).collect();
        ensure!(names == [stack], "Ingresses: {names:?}");
        Ok(())
    })
    .await
}

#[test]
fn a_service_without_a_load_balancer_is_reported() -> Result<()> {
    with_namespace("balancer", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {service: {type: LoadBalancer}}}";
        let symptom = Symptom::DeploymentCondition("MinimumReplicasAvailable");
        let watch = namespace.apply_and_watch_for("shop", spec, symptom).await?;
        let message = watch.diagnosed_as(Reason::AddressPending, "shop-api").await?;
        namespace.follow("shop", &message, Step::Set("spec.exposure.service.type", None)).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn no_default_ingress_class_and_more_than_one_are_reported_with_the_field_to_set() -> Result<()> {
    with_namespace_alone("ingress", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {host: ingress-class.localhost}}";
        without_default_class(&namespace.cluster, "ingressclass", "traefik", async || {
            let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Applied).await?;
            let message = watch.diagnosed_as(Reason::NoDefaultIngressClass, CLASS_FIELD).await?;
            namespace.follow("shop", &message, CLASS).await?;
            namespace.until_ready("shop").await.map(drop)
        })
        .await?;
        let without = r#"{"spec": {"exposure": {"ingress": null}}}"#;
        namespace.kubectl(&["patch", "todostack", "shop", "--type=merge", "--patch", without]).await?;
        namespace.until_ready("shop").await?;
        ensure_second_default_is_reported(namespace).await
    })
}

// As with a controller behind a tunnel, which publishes no address.
#[test]
fn an_ingress_without_an_address_does_not_keep_a_stack_from_being_ready() -> Result<()> {
    with_namespace("noaddress", async |namespace| {
        let class: IngressClass = serde_json::from_value(json!({
            "metadata": {"name": namespace.name}, "spec": {"controller": "todostack.dev/none"},
        }))?;
        with_object(&namespace.cluster.api(), &class, async || {
            let ingress =
                format!("{{host: no-address.localhost, ingress: {{className: {}}}}}", namespace.name);
            let spec = format!("{{database: {{sqlite: {{}}}}, exposure: {ingress}}}");
            let ready = namespace.apply_and_wait("shop", &spec).await?;
            let exposed = condition(&ready, ConditionType::Exposed).map(|it| it.reason.as_str());
            assert_eq!(exposed, Some(Reason::NoIngressAddress.as_str()));
            Ok(())
        })
        .await
    })
}

async fn ensure_second_default_is_reported(namespace: &Namespace) -> Result<()> {
    let second: IngressClass = serde_json::from_value(json!({
        "metadata": {
            "name": namespace.name,
            "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        },
        "spec": {"controller": "todostack.dev/none"},
    }))?;
    let watch = namespace.watch_for("shop", Symptom::Applied).await?;
    with_object(&namespace.cluster.api(), &second, async || {
        let message = watch.diagnosed_as(Reason::MultipleDefaultIngressClasses, CLASS_FIELD).await?;
        namespace.follow("shop", &message, CLASS).await?;
        namespace.until_ready("shop").await.map(drop)
    })
    .await
}
