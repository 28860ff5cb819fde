//! The operator's and the API's image: built from this checkout, tagged by their content, brought to the cluster.

use std::path::{Path, PathBuf};

use todostack_testbed::image::{self, Image};
use todostack_testbed::{key, prerequisites, process, progress};

use crate::{cli, install, provider, repository};

/// The two images of this checkout.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The operator's.
    pub(crate) operator: Image,
    /// The API's.
    pub(crate) api: Image,
}

/// `cargo xtask images`.
pub(crate) fn run(args: &cli::Images) -> anyhow::Result<()> {
    let provider = provider::choose(None);
    // Looked for before minutes of building, in case it is not there.
    let cluster = if args.build_only { None } else { Some(provider::find(provider)?) };
    let built = build()?;
    println!("{}\n{}", built.operator.reference, built.api.reference);
    let Some(cluster) = cluster else {
        println!("archives: {} {}", built.operator.archive.display(), built.api.archive.display());
        return Ok(());
    };
    load(provider, &built)?;
    install::install(&cluster, &built.values(provider))
}

/// Builds both binaries in release, statically linked, and their images by the repository's own Dockerfiles.
pub(crate) fn build() -> anyhow::Result<Built> {
    prerequisites::programs(prerequisites::IMAGES)?;
    let binaries = binaries()?;
    Ok(Built {
        operator: build_one("todostack-operator", "operator", &binaries)?,
        api: build_one("todostack-api", "api-server", &binaries)?,
    })
}

/// Brings both to the cluster.
pub(crate) fn load(provider: cli::ProviderName, built: &Built) -> anyhow::Result<()> {
    progress::step("Loading the images into the cluster", "5 s", || {
        provider::load(provider, &[built.operator.clone(), built.api.clone()])
    })
}

impl Built {
    /// The values that install them on the provider's cluster.
    pub(crate) fn values(&self, provider: cli::ProviderName) -> install::Values {
        install::Values {
            operator: self.operator.reference.clone(),
            api: self.api.reference.clone(),
            ports: provider::ingress_ports(provider),
        }
    }
}

/// The release binaries' folder.
fn binaries() -> anyhow::Result<PathBuf> {
    // Named even though it is the machine's own: flags then do not reach build scripts, nor rebuild what tests use.
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    progress::step("Building the operator and the API (release)", "5 to 8 min at first", || {
        let mut cargo = repository::cargo(&["build", "--release", "--locked", "--target", &target]);
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
        process::run(cargo.args(["-p", "todostack-operator", "-p", "todostack-api"]))
    })?;
    Ok(repository::target().join(target).join("release"))
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
