//! An NFS export, equal for all spellings of one directory. Who may use it is decided in `allowed.rs`, and
//! who uses it in `observed/conflicts.rs`.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::PersistentVolume;
use todostack_crds::storage::NfsExport;

/// Server and directories. A directory below another is another export.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Export {
    pub(crate) server: String,
    pub(crate) directories: Vec<String>,
}

impl Export {
    pub fn new(server: &str, path: &str) -> Self {
        let mut directories = Vec::new();
        for directory in path.split('/') {
            match directory {
                "" | "." => {}
                ".." => drop(directories.pop()),
                directory => directories.push(directory.to_owned()),
            }
        }
        Self { server: normalized(server), directories }
    }

    /// The export of a PersistentVolume. None if it is of another kind.
    pub fn from_volume(volume: &PersistentVolume) -> Option<Self> {
        let source = volume.spec.as_ref()?.nfs.as_ref()?;
        Some(Self::new(&source.server, &source.path))
    }
}

impl From<&NfsExport> for Export {
    fn from(export: &NfsExport) -> Self {
        Self::new(&export.server, &export.path)
    }
}

/// A server's name or address in one spelling. An alias of a name is another server: only DNS knows it.
pub(crate) fn normalized(server: &str) -> String {
    let name = server.trim_end_matches('.').to_ascii_lowercase();
    name.parse::<IpAddr>().map_or(name, |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::double_slash("nfs", "//e/x")]
    #[case::dot("nfs", "/e/./x")]
    #[case::parent("nfs", "/e/y/../x")]
    #[case::trailing_slash("nfs", "/e/x/")]
    #[case::case_of_the_server("NFS", "/e/x")]
    #[case::trailing_dot("nfs.", "/e/x")]
    fn every_spelling_of_an_export_is_the_same_export(#[case] server: &str, #[case] path: &str) {
        assert_eq!(Export::new(server, path), Export::new("nfs", "/e/x"));
        assert_ne!(Export::new(server, path), Export::new("nfs", "/e"));
    }

    #[test]
    fn every_spelling_of_an_address_is_the_same_server() {
        assert_eq!(Export::new("FD00:0::0:1", "/e"), Export::new("fd00::1", "/e"));
    }
}
