//! `cargo xtask compose`: runs the files of examples/compose with the API of this checkout, as users do, and
//! removes what it started. Needs Docker with Compose, or podman with podman-compose.

use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use fs_err as fs;
use serde_json::{Value, json};
use todostack_testbed::image::Image;
use todostack_testbed::wait::{self, Probe};
use todostack_testbed::{postgres_image, process, progress};

use crate::{images, repository};

const FOLDER: &str = "examples/compose";
const FILES: [&str; 2] = ["compose.yaml", "sqlite.yaml"];
const POSTGRES: &str = "docker.io/library/postgres:18";

pub(crate) fn run() -> anyhow::Result<()> {
    let engine = Engine::find()?;
    // Both, as `up` does: the dependencies of one alone have other features and are compiled again.
    let api = images::build(false)?.api;
    progress::step(&format!("Loading the images into {engine}"), "10 s", || {
        engine.load(&api)?;
        engine.provide_postgres()
    })?;
    for file in FILES {
        progress::step(&format!("Serving todos by {FOLDER}/{file}"), "30 s", || {
            let project = Project::new(engine, file, &api)?;
            project.check().with_context(|| format!("the containers logged:\n{}", project.logs()))
        })?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Engine {
    Docker,
    Podman,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        })
    }
}

impl Engine {
    fn find() -> anyhow::Result<Self> {
        // `docker info` asks the daemon; the client alone is no use.
        if process::succeeds(Command::new("docker").arg("info")) {
            return Ok(Self::Docker);
        }
        let podman = process::succeeds(Command::new("podman-compose").arg("version"));
        anyhow::ensure!(
            podman,
            "neither Docker nor podman-compose answers: start Docker (see `docker info`), or install podman and podman-compose"
        );
        Ok(Self::Podman)
    }

    fn command(self) -> Command {
        Command::new(self.to_string())
    }

    fn compose(self) -> Command {
        match self {
            Self::Docker => {
                let mut command = self.command();
                command.arg("compose");
                command
            }
            Self::Podman => Command::new("podman-compose"),
        }
    }

    fn load(self, image: &Image) -> anyhow::Result<()> {
        Ok(process::run(self.command().args(["load", "--quiet", "--input"]).arg(&image.archive))?)
    }

    /// The image of the example, or where no registry can be reached, that of the local cluster.
    fn provide_postgres(self) -> anyhow::Result<()> {
        if process::succeeds(self.command().args(["image", "inspect", POSTGRES]))
            || process::succeeds(self.command().args(["pull", "--quiet", POSTGRES]))
        {
            return Ok(());
        }
        let built = postgres_image::build().with_context(|| format!("failed to pull {POSTGRES}"))?;
        let image = built.iter().find(|image| image.reference == POSTGRES);
        self.load(image.with_context(|| format!("{POSTGRES} is not among the images of the cluster"))?)
    }
}

/// One file, running beside a project that the user may have.
struct Project<'a> {
    engine: Engine,
    folder: PathBuf,
    file: &'a str,
    image: &'a str,
    port: u16,
}

impl<'a> Project<'a> {
    /// In a copy of the folder, since the user may have a password in it.
    fn new(engine: Engine, file: &'a str, api: &'a Image) -> anyhow::Result<Self> {
        let folder = repository::target().join("compose");
        fs::create_dir_all(&folder)?;
        for name in FILES {
            fs::copy(repository::root().join(FOLDER).join(name), folder.join(name))?;
        }
        // With the newline of `echo`, and readable by the users of both images.
        fs::write(folder.join("password"), "not a secret: for a minute, on a network of its own\n")?;
        let port = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?.local_addr()?.port();
        Ok(Self { engine, folder, file, image: &api.reference, port })
    }

    /// Todos are served from outside, and are still there when the containers were replaced.
    fn check(&self) -> anyhow::Result<()> {
        process::run(self.compose().args(["up", "--detach"]))?;
        let todo = self.post()?;
        process::run(self.compose().arg("down"))?;
        process::run(self.compose().args(["up", "--detach"]))?;
        let todos = until_answered(|| Ok(ureq::get(self.url()).call()?.body_mut().read_json()?))?;
        anyhow::ensure!(
            todos == json!([todo]),
            "the todo was {todo}, and in new containers there is {todos}"
        );
        Ok(())
    }

    fn post(&self) -> anyhow::Result<Value> {
        let todo = json!({"title": "Water the plants"});
        until_answered(|| Ok(ureq::post(self.url()).send_json(&todo)?.body_mut().read_json()?))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/todos", self.port)
    }

    fn compose(&self) -> Command {
        let mut command = self.engine.compose();
        command.args(["--project-name", "todostack-check", "--file"]).arg(Path::new(self.file));
        command.current_dir(&self.folder);
        command.env("TODOSTACK_IMAGE", self.image).env("TODOSTACK_PORT", self.port.to_string());
        command
    }

    fn logs(&self) -> String {
        process::output(self.compose().arg("logs")).unwrap_or_else(|error| error.to_string())
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        if let Err(error) = process::run(self.compose().args(["down", "--volumes"])) {
            progress::detail(&format!("failed to remove the containers: {error}"));
        }
    }
}

fn until_answered(ask: impl Fn() -> anyhow::Result<Value>) -> anyhow::Result<Value> {
    let answer = wait::until("the API to answer", Duration::from_mins(2), || match ask() {
        Ok(answer) => Probe::Done(answer),
        Err(error) => Probe::NotYet(format!("{error:#}")),
    });
    Ok(answer?)
}
