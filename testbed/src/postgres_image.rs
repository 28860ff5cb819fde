//! Builds the local cluster's Postgres images from Debian's packages, without a registry. Their entrypoint is
//! in testbed/postgres.

use std::path::Path;
use std::process::Command;
use std::thread;

use fs_err as fs;

use crate::image::{self, Image};
use crate::key::Sources;
use crate::{cache, debian, process, progress, repository};

/// The operator's default repository.
pub(crate) const REPOSITORY: &str = "docker.io/library/postgres";

/// A major version that tests run: the oldest and the newest that Debian has, and the last one with the
/// official image's earlier `VOLUME`.
struct Release {
    major: &'static str,
    /// The Debian suite that has it.
    suite: &'static str,
    /// `VOLUME` of the official image.
    volume: &'static str,
    /// `PGDATA` of the official image.
    data: &'static str,
}

const EARLIER_VOLUME: &str = "/var/lib/postgresql/data";
const HOME: &str = "/var/lib/postgresql";
const RELEASES: [Release; 3] = [
    Release { major: "15", suite: "bookworm", volume: EARLIER_VOLUME, data: EARLIER_VOLUME },
    Release { major: "17", suite: "trixie", volume: EARLIER_VOLUME, data: EARLIER_VOLUME },
    Release { major: "18", suite: "sid", volume: HOME, data: "/var/lib/postgresql/18/docker" },
];

// To be raised with every change of `root_filesystem`, which is part of no other key.
const RECIPE: &str = "2";
const PACKAGES: [&str; 4] = ["locales", "libnss-wrapper", "xz-utils", "zstd"];

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
    &["usr/share/postgresql-common"],
];

// The compiler of queries, another 150 MB in 15 and 17: without llvmjit.so, Postgres interprets them.
const COMPILER: [&str; 4] = ["libLLVM*", "libz3.so*", "llvmjit*", "*.bc"];

/// Builds the images that the cache lacks.
pub fn build() -> anyhow::Result<Vec<Image>> {
    let roots = Sources::default().text(PACKAGES.join(" ")).text(REMOVED.concat().join(" ")).text(RECIPE);
    let key = RELEASES.iter().fold(roots, |key, it| key.text(it.major).text(it.suite)).key();
    let roots = cache::entry(&format!("postgres-rootfs-{key}"), |folder| {
        let what = "Installing Postgres 15, 17 and 18 into root filesystems";
        progress::step(what, "2 min, once per machine", || root_filesystems(folder))
    })?;
    RELEASES.iter().map(|release| build_one(release, &roots, &key)).collect()
}

fn build_one(release: &Release, roots: &Path, key: &str) -> anyhow::Result<Image> {
    let Release { major, suite: _, volume, data } = release;
    let folder = repository::testbed().join("postgres");
    let entrypoint = folder.join("docker-entrypoint.sh");
    image::build(&image::Recipe {
        reference: &format!("{REPOSITORY}:{major}"),
        dockerfile: &folder.join("Dockerfile"),
        arguments: &[("MAJOR", major), ("VOLUME", volume), ("DATA", data)],
        context: &[
            ("rootfs.tar", &roots.join(major).join("rootfs.tar")),
            ("docker-entrypoint.sh", &entrypoint),
        ],
        context_key: &Sources::default().text(key).file(&entrypoint)?.key(),
        usual: "20 s",
    })
}

// At the same time, because each waits for the mirror half of its time.
fn root_filesystems(folder: &Path) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let builds = RELEASES.each_ref().map(|release| {
            let folder = folder.join(release.major);
            scope.spawn(move || root_filesystem(release, &folder))
        });
        builds
            .into_iter()
            .try_for_each(|build| build.join().unwrap_or_else(|it| std::panic::resume_unwind(it)))
    })
}

fn root_filesystem(release: &Release, folder: &Path) -> anyhow::Result<()> {
    let Release { major, suite, volume, data: _ } = release;
    let root = folder.join("root");
    fs::create_dir_all(folder)?;
    debian::bootstrap(suite, &root, "")?;
    // The ids of the official image, so that each can use volumes of the other.
    debian::run_in(&root, "groupadd", &["--system", "--gid", "999", "postgres"])?;
    let user =
        ["--system", "--uid", "999", "--gid", "999", "--home-dir", HOME, "--shell", "/bin/bash", "postgres"];
    debian::run_in(&root, "useradd", &user)?;
    fs::create_dir_all(root.join("etc/postgresql-common"))?;
    fs::write(root.join("etc/postgresql-common/createcluster.conf"), "create_main_cluster = false\n")?;
    let server = format!("postgresql-{major}");
    let install = ["-y", "-qq", "--no-install-recommends", "install", &server];
    debian::run_in(&root, "apt-get", &[install.as_slice(), &PACKAGES].concat())?;
    debian::run_in(&root, "localedef", &["-i", "en_US", "-c", "-f", "UTF-8", "en_US.UTF-8"])?;
    // The official image listens on all addresses, and has its init files in this folder.
    let sample = root.join("usr/share/postgresql").join(major).join("postgresql.conf.sample");
    let text =
        fs::read_to_string(&sample)?.replace("#listen_addresses = 'localhost'", "listen_addresses = '*'");
    fs::write(&sample, text)?;
    fs::create_dir_all(root.join("docker-entrypoint-initdb.d"))?;
    for (mode, path) in [("1777", HOME), ("1777", volume), ("3777", "/run/postgresql")] {
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
    for name in COMPILER {
        debian::run_in(root, "find", &["/usr/lib", "-name", name, "-delete"])?;
    }
    Ok(())
}
