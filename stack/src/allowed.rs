//! What an administrator allows to the stacks of a namespace: NFS exports and host names, as patterns in the
//! operator's settings. The chart's ValidatingAdmissionPolicy checks the same
//! (`charts/todostack-operator/templates/admissionpolicy.yaml`).

use std::str::FromStr;

use crate::export::{self, Export};

/// Everything, as a pattern; any one label in the pattern of a host.
const ANY: &str = "*";
/// The namespace of the stack, in a pattern.
const NAMESPACE: &str = "{namespace}";

/// A setting that is no list of patterns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error(
        "failed to read {0:?}: an allowed NFS export is `server:/directory`, without *, . and .., or `*`; `{{namespace}}` stands for the namespace of the stack"
    )]
    Export(String),
    #[error(
        "failed to read {0:?}: an allowed host is a host name in lower case with `*` in place of labels, or `*`; `{{namespace}}` stands for the namespace of the stack"
    )]
    Host(String),
}

/// Exports that stacks may use. None by default: users who may create stacks could otherwise read every
/// directory that the nodes can mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedExports(Vec<ExportPattern>);

/// Hosts that stacks may have. All by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHosts(Vec<HostPattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum ExportPattern {
    All,
    /// A directory of a server and all below it.
    Below {
        server: String,
        directories: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    All,
    Labels(Vec<String>),
}

impl AllowedExports {
    /// Every export.
    pub fn all() -> Self {
        Self(vec![ExportPattern::All])
    }

    pub fn allows(&self, export: &Export, namespace: &str) -> bool {
        self.0.iter().any(|pattern| match pattern {
            ExportPattern::All => true,
            ExportPattern::Below { server, directories } => {
                let Export { server: its_server, directories: its_directories } = export;
                // Whole names: /exports/shop is not above /exports/shop-2.
                server.replace(NAMESPACE, namespace) == *its_server
                    && directories.len() <= its_directories.len()
                    && directories
                        .iter()
                        .zip(its_directories)
                        .all(|(allowed, its)| allowed.replace(NAMESPACE, namespace) == *its)
            }
        })
    }
}

impl AllowedHosts {
    /// Whether a stack may have the host. None: its Ingress matches every host.
    pub fn allows(&self, host: Option<&str>, namespace: &str) -> bool {
        self.0.iter().any(|pattern| match (pattern, host) {
            (HostPattern::All, _) => true,
            (HostPattern::Labels(_), None) => false,
            (HostPattern::Labels(labels), Some(host)) => {
                host.split('.').count() == labels.len()
                    && labels
                        .iter()
                        .zip(host.split('.'))
                        .all(|(allowed, its)| allowed == ANY || allowed.replace(NAMESPACE, namespace) == its)
            }
        })
    }
}

impl Default for AllowedHosts {
    fn default() -> Self {
        Self(vec![HostPattern::All])
    }
}

impl FromStr for AllowedExports {
    type Err = Invalid;

    fn from_str(list: &str) -> Result<Self, Invalid> {
        entries(list).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for AllowedHosts {
    type Err = Invalid;

    fn from_str(list: &str) -> Result<Self, Invalid> {
        entries(list).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// Neither a path nor a host name contains a comma.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

impl FromStr for ExportPattern {
    type Err = Invalid;

    fn from_str(entry: &str) -> Result<Self, Invalid> {
        if entry == ANY {
            return Ok(Self::All);
        }
        let invalid = || Invalid::Export(entry.to_owned());
        // The first: a path may contain it, an IPv6 address does not.
        let (server, path) = entry.split_once(":/").ok_or_else(invalid)?;
        let directories: Vec<_> =
            path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let has_other_sign = entry.replace(NAMESPACE, "").contains(['*', '{', '}', ' ']);
        if server.is_empty() || has_other_sign || directories.iter().any(|name| name == "." || name == "..") {
            return Err(invalid());
        }
        Ok(Self::Below { server: export::normalized(server), directories })
    }
}

impl FromStr for HostPattern {
    type Err = Invalid;

    fn from_str(entry: &str) -> Result<Self, Invalid> {
        if entry == ANY {
            return Ok(Self::All);
        }
        let labels: Vec<_> = entry.split('.').map(str::to_owned).collect();
        let is_label = |label: &String| {
            let text = label.replace(NAMESPACE, "n");
            let is_sign = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
            label == ANY || (!text.is_empty() && text.chars().all(is_sign))
        };
        if labels.iter().all(is_label) {
            Ok(Self::Labels(labels))
        } else {
            Err(Invalid::Host(entry.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
