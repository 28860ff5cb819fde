//! What the official image of each major version of Postgres declares, and what its `initdb` accepts. The pod
//! that follows it is in `postgres_stateful_set.rs`.

use todostack_crds::postgres::Version;

/// Mount path of the volume: the `VOLUME` of the image. The container runtime would create a `VOLUME` below
/// the mount in the volume itself, as root, which an NFS export with root_squash denies.
pub(super) fn mount_path(version: Version) -> &'static str {
    match version {
        Version::V14 | Version::V15 | Version::V16 | Version::V17 => "/var/lib/postgresql/data",
        Version::V18 => "/var/lib/postgresql",
    }
}

/// `PGDATA`: on the volume it is `<major>/docker` for each version. It is below the mount path, because a new
/// file system has a folder `lost+found`, and `initdb` needs an empty directory.
pub(super) fn data_directory(version: Version) -> String {
    format!("{}/{version}/docker", mount_path(version))
}

/// Checksums find a volume that lies. The collation is Postgres's own where it has one (17 and later), and
/// the C library's byte order before that: an image with another C library must not change the order of an
/// index.
pub(super) fn initdb_arguments(version: Version) -> String {
    let collation = match version {
        Version::V14 | Version::V15 | Version::V16 => "--locale=C",
        Version::V17 | Version::V18 => "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C",
    };
    format!("--data-checksums --encoding=UTF8 {collation}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use strum::IntoEnumIterator as _;

    use super::*;
    use crate::{fixtures::resolved, resources::postgres_stateful_set};

    // `VOLUME` in the Dockerfiles of docker-library/postgres, those of Debian and of Alpine alike (commit
    // 6edb0a8 of 2026-02-26).
    const DECLARED: [(&str, &str); 5] = [
        ("14", "/var/lib/postgresql/data"),
        ("15", "/var/lib/postgresql/data"),
        ("16", "/var/lib/postgresql/data"),
        ("17", "/var/lib/postgresql/data"),
        ("18", "/var/lib/postgresql"),
    ];

    #[test]
    fn the_volume_of_every_version_is_mounted_where_its_image_declares_it() {
        let table: Vec<_> = Version::iter().map(|it| (it.to_string(), mount_path(it))).collect();
        assert_eq!(table, DECLARED.map(|(version, volume)| (version.to_owned(), volume)));
    }

    #[test]
    fn the_layout_on_the_volume_is_the_same_for_every_version() {
        for version in Version::iter() {
            let data = data_directory(version);
            let below = data.strip_prefix(mount_path(version));
            assert_eq!(below, Some(format!("/{version}/docker").as_str()));
        }
    }

    #[test]
    fn the_containers_of_every_version_get_its_mount_path_and_its_data_directory() {
        for version in Version::iter() {
            let stack = resolved(&format!("{{database: {{postgres: {{version: '{version}'}}}}}}"));
            let set = postgres_stateful_set::build(&stack, stack.startable_postgres().unwrap());
            let pod = set.spec.unwrap().template.spec.unwrap();
            let expected = [
                ("preflight", "PREFLIGHT_VOLUME", mount_path(version).to_owned()),
                ("postgres", "PGDATA", data_directory(version)),
            ];
            let containers = pod.init_containers.iter().flatten().chain(&pod.containers);
            for (container, (name, variable, value)) in containers.zip(expected) {
                assert_eq!(container.name, name);
                let mounts: Vec<_> = container.volume_mounts.iter().flatten().collect();
                assert!(mounts.iter().any(|it| it.name == "data" && it.mount_path == mount_path(version)));
                let variables: Vec<_> = container.env.iter().flatten().collect();
                assert!(variables.iter().any(|it| it.name == variable && it.value.as_ref() == Some(&value)));
            }
        }
    }

    // The release notes of 17: "Add a builtin platform-independent collation provider".
    #[rstest]
    #[case::before(&[Version::V14, Version::V15, Version::V16], false)]
    #[case::since(&[Version::V17, Version::V18], true)]
    fn the_builtin_collation_is_used_where_initdb_knows_it(
        #[case] versions: &[Version],
        #[case] is_known: bool,
    ) {
        for version in versions {
            assert_eq!(initdb_arguments(*version).contains("builtin"), is_known, "{version}");
        }
    }
}
