//! A throw-away Postgres for tests: started on a free port, removed with everything in it.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use fs_err as fs;
use todostack_testbed::{prerequisites, process, progress};

/// A running server, stopped and deleted when dropped.
pub(super) struct Database {
    folder: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
}

/// Starts one.
pub(super) fn start() -> anyhow::Result<Database> {
    prerequisites::programs(prerequisites::POSTGRES)?;
    // Postgres refuses to run as root: then it runs as the user that Debian's package made for it.
    let user = if prerequisites::is_root() { Some(postgres_user()?) } else { None };
    // Not below the checkout, which that user may not be able to reach.
    let folder = std::env::temp_dir().join(format!("todostack-test-postgres-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    if let Some((uid, gid)) = user {
        std::os::unix::fs::chown(&folder, Some(uid), Some(gid))?;
    }
    let database = Database { folder, port: free_port()?, user };
    progress::step("Starting a throw-away Postgres", "3 s", || database.run())?;
    Ok(database)
}

impl Database {
    /// The superuser's connection URL.
    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn run(&self) -> anyhow::Result<()> {
        let arguments =
            ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"];
        let mut initdb = self.program("initdb")?;
        process::run(initdb.args(arguments).arg("--pgdata").arg(self.data()))?;
        // What a crash would lose is thrown away anyway; each test has a database and a pool of its own.
        let settings = format!(
            "-p {} -h 127.0.0.1 -k {} -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300",
            self.port,
            self.folder.display()
        );
        let mut start = self.program("pg_ctl")?;
        start.args(["start", "--wait", "--silent", "--options", &settings, "--pgdata"]).arg(self.data());
        start.arg("--log").arg(self.folder.join("log"));
        process::run(&mut start).with_context(|| {
            format!(
                "Postgres did not start: {}",
                fs::read_to_string(self.folder.join("log")).unwrap_or_default()
            )
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn program(&self, name: &str) -> anyhow::Result<Command> {
        let path = prerequisites::find(name).with_context(|| format!("{name} is not there"))?;
        let mut command = Command::new(path);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command.current_dir(&self.folder);
        Ok(command)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let stopped = self.program("pg_ctl").map(|mut stop| {
            process::run(stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"]).arg(self.data()))
        });
        if let Err(error) =
            stopped.and_then(|stopped| Ok(stopped?)).and_then(|()| Ok(fs::remove_dir_all(&self.folder)?))
        {
            progress::detail(&format!(
                "the throw-away Postgres in {} was not removed: {error:#}",
                self.folder.display()
            ));
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn postgres_user() -> anyhow::Result<(u32, u32)> {
    parse_user(&fs::read_to_string(Path::new("/etc/passwd"))?)
        .context("there is no user postgres to run Postgres as")
}

fn parse_user(passwd: &str) -> Option<(u32, u32)> {
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_read_from_the_password_file() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(parse_user(passwd), Some((101, 104)));
        assert_eq!(parse_user("root:x:0:0::/root:/bin/bash\n"), None);
    }
}
