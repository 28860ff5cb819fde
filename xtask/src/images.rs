//! The images of the operator and the API: built from this checkout, tagged by content, loaded into a
//! cluster.

use std::path::{Path, PathBuf};

use todostack_testbed::image::{self, Image};
use todostack_testbed::{key, prerequisites, process, progress};

use crate::{cli, install, provider, repository};

/// How the programs of the images are compiled: a profile of Cargo.toml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For the clusters of this machine: less optimization, and no link-time optimization.
    Up,
    /// As released.
    Release,
}

impl Profile {
    pub(crate) fn new(release: bool) -> Self {
        if release { Self::Release } else { Self::Up }
    }

    /// Its name in Cargo.toml, and of its folder below `target/`.
    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Release => "release",
        }
    }

    fn usual_time(self) -> &'static str {
        match self {
            Self::Up => "4 to 8 min the first time",
            Self::Release => "8 to 14 min the first time",
        }
    }
}

/// The two images of this checkout.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    pub(crate) operator: Image,
    pub(crate) api: Image,
}

pub(crate) fn run(args: &cli::Images) -> anyhow::Result<()> {
    let provider = provider::choose(None);
    // Before the build, which takes minutes: it fails if there is no cluster.
    let cluster = if args.build_only { None } else { Some(provider::find(provider)?) };
    let built = build(Profile::new(args.build_only))?;
    println!("{}\n{}", built.operator.reference, built.api.reference);
    let Some(cluster) = cluster else {
        println!("archives: {} {}", built.operator.archive.display(), built.api.archive.display());
        return Ok(());
    };
    load(provider, &built)?;
    install::install(&cluster, &built.values(provider))
}

/// Builds both programs, statically linked, and their images by the Dockerfiles of the repository.
pub(crate) fn build(profile: Profile) -> anyhow::Result<Built> {
    prerequisites::programs(prerequisites::IMAGES)?;
    let binaries = binaries(profile)?;
    Ok(Built {
        operator: build_one("todostack-operator", "operator", &binaries)?,
        api: build_one("todostack-api", "api-server", &binaries)?,
    })
}

/// Loads both images into the cluster.
pub(crate) fn load(provider: cli::ProviderName, built: &Built) -> anyhow::Result<()> {
    progress::step("Loading the images into the cluster", "5 s", || {
        provider::load(provider, &[built.operator.clone(), built.api.clone()])
    })
}

impl Built {
    /// The values of the charts that install these images.
    pub(crate) fn values(&self, provider: cli::ProviderName) -> install::Values {
        install::Values {
            operator: self.operator.reference.clone(),
            api: self.api.reference.clone(),
            ports: provider::ingress_ports(provider),
        }
    }
}

/// The folder of the programs.
fn binaries(profile: Profile) -> anyhow::Result<PathBuf> {
    // With an explicit target RUSTFLAGS do not apply to build scripts, and the tests' artifacts stay valid.
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let name = profile.name();
    let what = format!("Building the operator and the API (profile {name})");
    progress::step(&what, profile.usual_time(), || {
        let mut cargo = repository::cargo(&["build", "--profile", name, "--locked", "--target", &target]);
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
        process::run(cargo.args(["-p", "todostack-operator", "-p", "todostack-api"]))
    })?;
    Ok(repository::target().join(target).join(name))
}

fn build_one(program: &str, folder: &str, binaries: &Path) -> anyhow::Result<Image> {
    let binary = binaries.join(program);
    let tag = key::file_digest(&binary)?;
    image::build(&image::Recipe {
        reference: &format!("localhost/{program}:{tag}"),
        dockerfile: &repository::root().join(folder).join("Dockerfile"),
        context: &[(program, &binary)],
        context_key: &tag,
        usual: "3 s",
    })
}
