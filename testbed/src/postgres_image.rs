//! Builds the local cluster's Postgres image from Debian's packages, without a registry. Its entrypoint is in
//! testbed/postgres.

use std::path::Path;
use std::process::Command;

use fs_err as fs;

use crate::image::{self, Image};
use crate::key::Sources;
use crate::{cache, debian, process, progress, repository};

/// The operator's default image.
pub(crate) const REFERENCE: &str = "docker.io/library/postgres:18";

/// The Debian suite that has Postgres 18.
const SUITE: &str = "sid";
// To be raised with every change of `root_filesystem`, which is part of no other key.
const RECIPE: &str = "1";
const PACKAGES: [&str; 2] = ["postgresql-18", "locales"];

// What a running Postgres does not need, 350 of 500 MB.
const REMOVED: [&[&str]; 6] = [
    // Packages.
    &["var/cache/apt", "var/lib/apt", "var/lib/dpkg", "var/log", "usr/lib/apt"],
    // systemd, perl, and the conversion between encodings.
    &["usr/lib/systemd", "usr/lib/x86_64-linux-gnu/systemd", "usr/lib/x86_64-linux-gnu/perl"],
    &["usr/lib/x86_64-linux-gnu/perl-base", "usr/lib/x86_64-linux-gnu/gconv"],
    // Documentation and locales.
    &["usr/share/bash-completion", "usr/share/doc", "usr/share/i18n", "usr/share/info", "usr/share/locale"],
    &["usr/share/man", "usr/share/perl", "usr/share/perl5"],
    &["usr/share/postgresql/18/man", "usr/share/postgresql-common"],
];

/// Builds the image unless the cache has it.
pub(crate) fn build() -> anyhow::Result<Image> {
    let folder = repository::testbed().join("postgres");
    let entrypoint = folder.join("docker-entrypoint.sh");
    let root_key = Sources::default().text(SUITE).text(PACKAGES.join(" "));
    let root_key = root_key.text(REMOVED.concat().join(" ")).text(RECIPE).key();
    let root = cache::entry(&format!("postgres-rootfs-{root_key}"), |folder| {
        progress::step("Installing Postgres 18 into a root filesystem", "1 min, once per machine", || {
            root_filesystem(folder)
        })
    })?;
    image::build(&image::Recipe {
        reference: REFERENCE,
        dockerfile: &folder.join("Dockerfile"),
        context: &[("rootfs.tar", &root.join("rootfs.tar")), ("docker-entrypoint.sh", &entrypoint)],
        context_key: &Sources::default().text(&root_key).file(&entrypoint)?.key(),
        usual: "20 s",
    })
}

fn root_filesystem(folder: &Path) -> anyhow::Result<()> {
    let root = folder.join("root");
    debian::bootstrap(SUITE, &root, "")?;
    // The ids of the official image, so that each can use volumes of the other.
    debian::run_in(&root, "groupadd", &["--system", "--gid", "999", "postgres"])?;
    let home = "/var/lib/postgresql";
    let user =
        ["--system", "--uid", "999", "--gid", "999", "--home-dir", home, "--shell", "/bin/bash", "postgres"];
    debian::run_in(&root, "useradd", &user)?;
    fs::create_dir_all(root.join("etc/postgresql-common"))?;
    fs::write(root.join("etc/postgresql-common/createcluster.conf"), "create_main_cluster = false\n")?;
    let install = ["-y", "-qq", "--no-install-recommends", "install"];
    debian::run_in(&root, "apt-get", &[install.as_slice(), &PACKAGES].concat())?;
    debian::run_in(&root, "localedef", &["-i", "en_US", "-c", "-f", "UTF-8", "en_US.UTF-8"])?;
    // The official image listens on all addresses, and has its init files in this folder.
    let sample = root.join("usr/share/postgresql/18/postgresql.conf.sample");
    let text =
        fs::read_to_string(&sample)?.replace("#listen_addresses = 'localhost'", "listen_addresses = '*'");
    fs::write(&sample, text)?;
    fs::create_dir_all(root.join("docker-entrypoint-initdb.d"))?;
    for (mode, path) in [("1777", home), ("3777", "/run/postgresql")] {
        debian::run_in(&root, "install", &["-d", "-o", "postgres", "-g", "postgres", "-m", mode, path])?;
    }
    slim(&root)?;
    let archive = folder.join("rootfs.tar");
    let mut tar = Command::new("tar");
    process::run(tar.arg("-C").arg(&root).arg("-cf").arg(archive).args(["--numeric-owner", "."]))?;
    Ok(fs::remove_dir_all(&root)?)
}

fn slim(root: &Path) -> anyhow::Result<()> {
    // Debian's wrappers in /usr/bin are written in perl; without them PATH leads to the programs themselves.
    for entry in fs::read_dir(root.join("usr/bin"))? {
        let path = entry?.path();
        if std::fs::read_link(&path).is_ok_and(|target| target.ends_with("pg_wrapper")) {
            fs::remove_file(path)?;
        }
    }
    for path in REMOVED.concat() {
        let path = root.join(path);
        if path.exists() {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}
