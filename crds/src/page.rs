//! `spec.page`: the page for browsers. Who may use it is decided by `spec.api.auth`.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The page for browsers.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PageSpec {
    /// Whether the API serves a page at `/` to browsers. Programs get an index of links there in both cases.
    /// A change replaces the API pods. Defaults to true.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

impl Default for PageSpec {
    fn default() -> Self {
        Self { enabled: enabled() }
    }
}

fn enabled() -> bool {
    true
}
