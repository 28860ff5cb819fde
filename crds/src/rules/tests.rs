//! Each CEL rule with specs that it accepts and rejects. The answers of a real API server are tested in
//! `e2e/tests/it/validation.rs`.

use crate::TodoStack;
use kube::CustomResourceExt;
use kube_cel::Validator;
use rstest::rstest;
use serde_json::{Value, json};

mod changes;

fn schema() -> Value {
    let crd = serde_json::to_value(TodoStack::crd()).unwrap();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

fn stack(name: &str, spec: &str) -> Value {
    let spec: Value = serde_saphyr::from_str(spec).unwrap();
    let metadata = json!({"name": name});
    json!({"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack", "metadata": metadata, "spec": spec})
}

fn rejections(new: &Value, old: Option<&Value>) -> Vec<String> {
    match Validator::new().validate(&schema(), new, old) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_vec().into_iter().map(|error| error.message).collect(),
    }
}

#[rstest]
#[case::nothing("{}")]
#[case::nfs("{database: {postgres: {storage: {nfs: {server: nfs.example.com, path: /exports/shop}}}}}")]
#[case::root_of_a_server("{database: {postgres: {storage: {nfs: {server: nas, path: /}}}}}")]
#[case::dots_in_names("{database: {postgres: {storage: {nfs: {server: nas, path: /.e/..x/y.z./w..}}}}}")]
#[case::class("{database: {postgres: {storage: {size: 5Gi, storageClassName: fast}}}}")]
#[case::external("{database: {external: {secret: {name: shop-pg}}}}")]
#[case::sqlite("{database: {sqlite: {}}, api: {replicas: 1}}")]
#[case::tls("{exposure: {host: shop.example.com, ingress: {tls: {secretName: shop-tls}}}}")]
#[case::pod_metadata(
    "{api: {podMetadata: {labels: {team: shop}, annotations: {sidecar.istio.io/inject: 'false'}}}}"
)]
#[case::parameters("{database: {postgres: {parameters: {max_connections: '200'}}}}")]
#[case::origins(
    "{api: {cors: {allowedOrigins: ['https://*.example.com', 'HTTP://App.example.org:80',
      'capacitor://localhost', 'http://[::1]:3000']}}}"
)]
#[case::proxies("{exposure: {trustedProxies: {networks: [10.0.0.0/8, '2001:db8::/32', 192.0.2.1]}}}")]
#[case::hops("{exposure: {trustedProxies: {hops: 2}}}")]
fn a_valid_spec_is_accepted(#[case] spec: &str) {
    assert_eq!(rejections(&stack("shop", spec), None), Vec::<String>::new());
}

#[rstest]
#[case::two_databases(
    "{database: {postgres: {}, sqlite: {}}}",
    "at most one of postgres, external and sqlite"
)]
#[case::two_storages(
    "{database: {postgres: {storage: {storageClassName: fast, nfs: {server: nas, path: /e}}}}}",
    "at most one of nfs and storageClassName"
)]
#[case::origin_without_scheme("{api: {cors: {allowedOrigins: [app.example.com]}}}", "browsers send no other")]
#[case::origin_with_slash("{api: {cors: {allowedOrigins: ['https://a.b/']}}}", "browsers send no other")]
#[case::origin_with_user("{api: {cors: {allowedOrigins: ['https://a@b']}}}", "browsers send no other")]
#[case::inner_wildcard("{api: {cors: {allowedOrigins: ['https://a*.b']}}}", "browsers send no other")]
#[case::two_origins("{api: {cors: {allowedOrigins: ['https://a,https://b']}}}", "browsers send no other")]
#[case::letters("{api: {cors: {allowedOrigins: ['https://bücher.example']}}}", "browsers send no other")]
#[case::two_kinds_of_proxies(
    "{exposure: {trustedProxies: {hops: 1, networks: [10.0.0.0/8]}}}",
    "at most one of hops and networks"
)]
#[case::no_network("{exposure: {trustedProxies: {networks: [10.0.0.0/33]}}}", "must be networks")]
#[case::soft(
    "{database: {postgres: {storage: {nfs: {server: nas, path: /e, mountOptions: [soft]}}}}}",
    "must not contain soft"
)]
#[case::nolock(
    "{database: {postgres: {storage: {nfs: {server: nas, path: /e, mountOptions: [hard, nolock]}}}}}",
    "must not contain soft"
)]
#[case::double_slash("{database: {postgres: {storage: {nfs: {server: nas, path: /e//x}}}}}", "one spelling")]
#[case::leading_double_slash(
    "{database: {postgres: {storage: {nfs: {server: nas, path: //e}}}}}",
    "one spelling"
)]
#[case::slash_at_the_end(
    "{database: {postgres: {storage: {nfs: {server: nas, path: /e/}}}}}",
    "one spelling"
)]
#[case::dot("{database: {postgres: {storage: {nfs: {server: nas, path: /e/./x}}}}}", "one spelling")]
#[case::dot_at_the_end("{database: {postgres: {storage: {nfs: {server: nas, path: /e/.}}}}}", "one spelling")]
#[case::parent("{database: {postgres: {storage: {nfs: {server: nas, path: /e/../x}}}}}", "one spelling")]
#[case::sqlite_with_two_replicas("{database: {sqlite: {}}, api: {replicas: 2}}", "must be 0 or 1 with")]
#[case::tls_without_host("{exposure: {ingress: {tls: {secretName: t}}}}", "requires spec.exposure.host")]
#[case::data_directory(
    "{database: {postgres: {parameters: {data_directory: /x}}}}",
    "on which the operator relies"
)]
#[case::own_label("{api: {podMetadata: {labels: {app.kubernetes.io/component: x}}}}", "find their pods")]
#[case::job_label("{api: {podMetadata: {labels: {job-name: x}}}}", "find their pods")]
#[case::database_label(
    "{database: {postgres: {podMetadata: {labels: {todostack.dev/stack: x}}}}}",
    "find their pods"
)]
#[case::own_annotation(
    "{api: {podMetadata: {annotations: {todostack.dev/x: x}}}}",
    "the operator reads them"
)]
#[case::fsync("{database: {postgres: {parameters: {fsync: 'off'}}}}", "without which a crash corrupts")]
fn a_spec_that_breaks_a_rule_is_rejected_with_the_message_of_that_rule(
    #[case] spec: &str,
    #[case] sentence: &str,
) {
    let messages = rejections(&stack("shop", spec), None);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains(sentence), "{messages:?}");
}

#[rstest]
#[case::too_long("a-name-of-more-than-forty-characters-is-rejected")]
#[case::digit_first("1shop")]
#[case::dotted("shop.one")]
fn a_name_that_no_service_can_have_is_rejected(#[case] name: &str) {
    let messages = rejections(&stack(name, "{}"), None);
    assert!(messages.iter().any(|m| m.contains("metadata.name must be a DNS label")), "{messages:?}");
}
