//! The images of the operator and the API: built from this checkout, tagged by content, loaded into a
//! cluster.

use std::path::{Path, PathBuf};

use todostack_testbed::image::{self, Image};
use todostack_testbed::{key, prerequisites, process, progress};

use crate::{cli::ProviderName, install, provider, repository};

pub(crate) struct Built {
    operator: Image,
    pub(crate) api: Image,
}

pub(crate) fn run(build_only: bool) -> anyhow::Result<()> {
    let provider = provider::choose(None);
    // Before the build, which takes minutes: it fails if there is no cluster.
    let cluster = if build_only { None } else { Some(provider::find(provider)?) };
    let built = build(build_only)?;
    println!("{}\n{}", built.operator.reference, built.api.reference);
    let Some(cluster) = cluster else {
        println!("archives: {} {}", built.operator.archive.display(), built.api.archive.display());
        return Ok(());
    };
    install::install(&cluster, &built.load(provider)?)
}

/// Builds both programs, statically linked, and their images by the Dockerfiles of the repository.
pub(crate) fn build(release: bool) -> anyhow::Result<Built> {
    prerequisites::programs(prerequisites::IMAGES)?;
    let binaries = binaries(release)?;
    Ok(Built {
        operator: build_one("todostack-operator", "operator", &binaries)?,
        api: build_one("todostack-api", "api-server", &binaries)?,
    })
}

impl Built {
    /// Loads both images into the cluster; returns the values of the charts that install them.
    pub(crate) fn load(self, provider: ProviderName) -> anyhow::Result<install::Values> {
        let (operator, api) = (self.operator.reference.clone(), self.api.reference.clone());
        progress::step("Loading the images into the cluster", "5 s", || {
            provider::load(provider, &[self.operator, self.api])
        })?;
        Ok(install::Values { operator, api, ports: provider::ingress_ports(provider) })
    }
}

fn binaries(release: bool) -> anyhow::Result<PathBuf> {
    // The profile `up` of Cargo.toml has less optimization, and no link-time optimization.
    let (profile, usual) =
        if release { ("release", "8 to 14 min the first time") } else { ("up", "4 to 8 min the first time") };
    progress::step(&format!("Building the operator and the API (profile {profile})"), usual, || {
        let mut cargo = repository::static_cargo(&["build", "--profile", profile, "--locked"]);
        process::run(cargo.args(["-p", "todostack-operator", "-p", "todostack-api"]))
    })?;
    Ok(repository::target().join(repository::static_target()).join(profile))
}

fn build_one(program: &str, folder: &str, binaries: &Path) -> anyhow::Result<Image> {
    let binary = binaries.join(program);
    let tag = key::file_digest(&binary)?;
    image::build(&image::Recipe {
        reference: &format!("localhost/{program}:{tag}"),
        dockerfile: &repository::root().join(folder).join("Dockerfile"),
        arguments: &[],
        context: &[(program, &binary)],
        context_key: &tag,
        usual: "3 s",
    })
}
