//! What users do with a stack, for the tests that disturb the operator while it follows.

use serde_json::{Value, json};

use super::cluster::Cluster;

pub(super) const NFS: &str =
    "{deletionPolicy: Delete, exposure: {host: shop.example.com}, database: {postgres: {
    storage: {nfs: {server: nas, path: /e}}, initScripts: {configMap: {name: seed}}}}}";
pub(super) const OWN_SECRET: &str = "{database: {postgres: {credentialsSecret: {name: pg}}}}";
pub(super) const EXTERNAL: &str = "{database: {external: {secret: {name: pg}}}}";
pub(super) const SQLITE: &str = "{database: {sqlite: {}}, deletionPolicy: Delete}";

// What a user does with the stack `shop`.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Create,
    // A merge patch of the spec, in YAML.
    Edit(&'static str),
    // The annotation that asks for other credentials.
    Rotate,
    // Keys of the user's own Secret.
    Secret(&'static [(&'static str, &'static str)]),
    Delete,
}

impl Change {
    // A cluster in which the change can be made: with a stack that is Ready, unless the change creates it.
    pub(super) async fn prepare(&self, spec: &str) -> Cluster {
        let mut cluster = Cluster::new(spec);
        if !matches!(self, Self::Create) {
            cluster.settle().await;
            assert_eq!(cluster.condition("Ready")["status"], "True", "{}", cluster.condition("Ready"));
        }
        cluster
    }

    pub(super) fn make(&self, cluster: &mut Cluster) {
        match self {
            Self::Create => {}
            Self::Edit(spec) => {
                let spec: Value = serde_saphyr::from_str(spec).unwrap();
                cluster.patch("todostacks", "shop", &json!({"spec": spec}));
            }
            Self::Rotate => {
                let annotations = json!({"todostack.dev/rotate": "1"});
                cluster.patch("todostacks", "shop", &json!({"metadata": {"annotations": annotations}}));
            }
            Self::Secret(keys) => {
                let encode = |text: &str| serde_json::to_value(k8s_openapi::ByteString(text.into())).unwrap();
                let data: serde_json::Map<_, _> =
                    keys.iter().map(|(key, text)| ((*key).to_owned(), encode(text))).collect();
                cluster.patch("secrets", "pg", &json!({"data": data}));
            }
            Self::Delete => cluster.delete_stack(),
        }
    }
}

// What two end states do not have in common.
pub(super) fn difference(expected: &[String], end: &[String]) -> Vec<String> {
    let only = |sign: &str, one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|line| !other.contains(line)).map(|line| format!("{sign} {line}")).collect()
    };
    [only("-", expected, end), only("+", end, expected)].concat()
}
