//! The images that the local cluster itself needs, built from this machine's programs under the names that
//! the manifests use. Images of the operator and the API are not among them.

use std::path::Path;
use std::process::Command;

use super::node;
use crate::binaries::Binaries;
use crate::image::{self, Image};
use crate::key::Sources;
use crate::{cache, postgres_image, process, repository};

pub(crate) fn build(kubernetes: &Binaries, addons: &Binaries) -> anyhow::Result<Vec<Image>> {
    let program = |reference, binaries: &Binaries, name| {
        let key = Sources::default().text(name).text(&binaries.key).key();
        from_program(reference, &binaries.program(name), &key)
    };
    let mut images = vec![
        pause()?,
        program("docker.io/coredns/coredns:1.14.7", kubernetes, "coredns")?,
        program("docker.io/library/traefik:v3.6.12", kubernetes, "traefik")?,
        program("docker.io/rancher/local-path-provisioner:v0.0.30", addons, "local-path-provisioner")?,
    ];
    images.extend(postgres_image::build()?);
    Ok(images)
}

/// The image of pod sandboxes, whose one program waits for signals.
fn pause() -> anyhow::Result<Image> {
    let source = repository::testbed().join("pause.c");
    let key = Sources::default().file(&source)?.key();
    let folder = cache::entry(&format!("pause-{key}"), |folder| {
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-static", "-s", "-o"]).arg(folder.join("pause")).arg(&source);
        Ok(process::run(&mut gcc)?)
    })?;
    from_program(node::PAUSE, &folder.join("pause"), &key)
}

/// Builds an image that holds and runs one static program, unless the cache has it.
fn from_program(reference: &str, program: &Path, key: &str) -> anyhow::Result<Image> {
    image::build(&image::Recipe {
        reference,
        dockerfile: &repository::testbed().join("images/program.Dockerfile"),
        arguments: &[],
        context: &[("program", program)],
        context_key: key,
        usual: "3 s",
    })
}
