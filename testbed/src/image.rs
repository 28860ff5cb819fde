//! Builds container images into archives with buildah, without a daemon or a registry. Providers load them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use fs_err as fs;

use crate::key::Sources;
use crate::{cache, process, progress};

/// A container image in a docker-archive, as `docker load` and `ctr images import` read it.
#[derive(Clone, Debug)]
pub struct Image {
    /// The name with its tag.
    pub reference: String,
    /// A digest of the sources: images of equal reference and key have the same content.
    pub key: String,
    pub archive: PathBuf,
}

pub struct Recipe<'a> {
    /// The name with its tag.
    pub reference: &'a str,
    pub dockerfile: &'a Path,
    /// Values of the Dockerfile's `ARG`s.
    pub arguments: &'a [(&'a str, &'a str)],
    /// The build context: names in it, and the files to put there.
    pub context: &'a [(&'a str, &'a Path)],
    /// The key of what the context is made from, so that its files need not be read.
    pub context_key: &'a str,
    pub usual: &'a str,
}

/// Builds the image unless the cache has it.
pub fn build(recipe: &Recipe<'_>) -> anyhow::Result<Image> {
    let Recipe { reference, dockerfile, arguments, context, context_key, usual } = *recipe;
    let key = Sources::default().text(reference).file(dockerfile)?.text(context_key);
    let key = arguments.iter().fold(key, |key, (name, value)| key.text(name).text(value)).key();
    let name = reference.rsplit('/').next().unwrap_or(reference).replace(':', "-");
    let folder = cache::entry(&format!("images/{name}-{key}"), |folder| {
        progress::step(&format!("Building the image {reference}"), usual, || {
            let work = folder.join("work");
            for (name, file) in context {
                place(file, &work.join("context").join(name))?;
            }
            buildah(&work, &folder.join("image.tar"), recipe)?;
            Ok(fs::remove_dir_all(&work)?)
        })
    })
    .with_context(|| format!("failed to build the image {reference} from {}", dockerfile.display()))?;
    Ok(Image { reference: reference.to_owned(), key, archive: folder.join("image.tar") })
}

fn place(from: &Path, to: &Path) -> anyhow::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // Not every file system has hard links, and none reaches into another file system.
    if std::fs::hard_link(from, to).is_err() {
        fs::copy(from, to)?;
    }
    Ok(())
}

fn buildah(work: &Path, archive: &Path, recipe: &Recipe<'_>) -> Result<(), process::Error> {
    // Its storage is inside the work folder, so that nothing stays in the machine's own.
    let buildah = || {
        let mut command = Command::new("buildah");
        command.arg("--root").arg(work.join("storage")).arg("--runroot").arg(work.join("run"));
        command.args(["--storage-driver", "vfs"]);
        command
    };
    let mut build = buildah();
    build.args(["build", "--quiet", "--isolation", "chroot", "--tag", recipe.reference]);
    build.args(recipe.arguments.iter().map(|(name, value)| format!("--build-arg={name}={value}")));
    process::run(build.arg("--file").arg(recipe.dockerfile).arg(work.join("context")))?;
    let destination = format!("docker-archive:{}:{}", archive.display(), recipe.reference);
    process::run(buildah().args(["push", "--quiet", recipe.reference, &destination]))
}
