//! Waits until the cluster serves TodoStacks, so that operator and CRD can be installed in any order.

use std::time::Duration;

use kube::{Api, Client, api::ListParams};
use todostack_crds::TodoStack;
use todostack_stack::error_chain::one_line;

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_secs(2);

/// Returns when the cluster serves TodoStacks. Logs once that it waits.
pub(crate) async fn wait(client: &Client, namespace: Option<&str>) -> Result<(), kube::Error> {
    // With one namespace to watch, the right to list is a Role there.
    let stacks: Api<TodoStack> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let mut is_logged = false;
    loop {
        match stacks.list_metadata(&ListParams::default().limit(1)).await {
            Ok(_) => return Ok(()),
            // By code: where the group is not served, the body is not a Status, and kube knows no reason.
            Err(kube::Error::Api(answer)) if answer.code == 404 => {
                if !is_logged {
                    tracing::warn!(
                        "Waiting for the CustomResourceDefinition todostacks.todostack.dev: install the chart todostack-crds"
                    );
                    is_logged = true;
                }
            }
            Err(kube::Error::Api(answer)) if answer.is_forbidden() => return Err(kube::Error::Api(answer)),
            Err(error) => tracing::warn!(error = %one_line(&error), "API server does not answer; retrying"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response};
    use kube::client::Body;

    use super::*;

    // Answers each request in turn, and gives back the paths that were asked for.
    async fn asked(namespace: Option<&str>, answers: Vec<(u16, &'static str)>) -> Vec<String> {
        let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let server = tokio::spawn(async move {
            let mut paths = Vec::new();
            for (code, body) in answers {
                let (request, send) = handle.next_request().await.unwrap();
                paths.push(request.uri().path().to_owned());
                send.send_response(
                    Response::builder().status(code).body(Body::from(body.as_bytes().to_vec())).unwrap(),
                );
            }
            paths
        });
        wait(&Client::new(service, "default"), namespace).await.unwrap();
        server.await.unwrap()
    }

    const NONE: &str =
        r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[]}"#;

    #[tokio::test]
    async fn it_asks_where_it_may_look() {
        let path = "/apis/todostack.dev/v1alpha1/namespaces/shops/todostacks";
        assert_eq!(asked(Some("shops"), vec![(200, NONE)]).await, [path]);
        assert_eq!(asked(None, vec![(200, NONE)]).await, ["/apis/todostack.dev/v1alpha1/todostacks"]);
    }

    #[tokio::test]
    async fn it_waits_for_a_group_that_is_not_served() {
        let answers = vec![(404, "404 page not found\n"), (200, NONE)];
        assert_eq!(asked(None, answers).await.len(), 2);
    }
}
