//! Stacks that work and that nobody reaches: no controller for their Ingress or Service, or somebody else's host name.

use anyhow::Result;
use k8s_openapi::api::networking::v1::IngressClass;
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace, with_namespace_alone},
    symptom::Symptom,
};

#[tokio::test]
async fn a_host_name_that_another_stack_has_is_named_on_the_later_one() -> Result<()> {
    with_namespace("host", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {host: host-taken.localhost}}";
        namespace.apply("first", spec).await?;
        namespace.ready("first").await?;
        let cause = (Reason::HostConflict, "first");
        namespace.apply_and_see(("second", spec), Symptom::Applied, cause).await?;
        namespace.ready("first").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_service_that_no_load_balancer_serves_is_named() -> Result<()> {
    with_namespace("balancer", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {service: {type: LoadBalancer}}}";
        let symptom = Symptom::Condition("MinimumReplicasAvailable");
        namespace.apply_and_see(("shop", spec), symptom, (Reason::AddressPending, "shop-api")).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn without_one_default_ingress_class_the_remedy_is_named() -> Result<()> {
    with_namespace_alone("ingress", async |namespace| {
        let spec = "{database: {sqlite: {}}, exposure: {host: ingress-class.localhost}}";
        let mark = "ingressclass.kubernetes.io/is-default-class";
        namespace
            .kubectl(&["annotate", "--overwrite", "ingressclass", "traefik", &format!("{mark}=false")])
            .await?;
        let cause = (Reason::NoDefaultIngressClass, "spec.exposure.ingress.className");
        let none = namespace.apply_and_see(("shop", spec), Symptom::Applied, cause).await;
        namespace
            .kubectl(&["annotate", "--overwrite", "ingressclass", "traefik", &format!("{mark}=true")])
            .await?;
        none?;
        namespace.ready("shop").await?;
        with_a_second_default(namespace).await?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}

async fn with_a_second_default(namespace: &Namespace) -> Result<()> {
    let second: IngressClass = serde_json::from_value(json!({
        "metadata": {
            "name": namespace.name,
            "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        },
        "spec": {"controller": "todostack.dev/none"},
    }))?;
    let classes = Api::<IngressClass>::all(namespace.cluster.client.clone());
    let watching = namespace.watch("shop", Symptom::Applied).await?;
    classes.create(&PostParams::default(), &second).await?;
    let cause = (Reason::MultipleDefaultIngressClasses, "spec.exposure.ingress.className");
    let several = namespace.explained(watching, cause).await;
    classes.delete(&namespace.name, &DeleteParams::default()).await?;
    several.map(drop)
}
