//! A temporary PgBouncer in front of a server: started on a free port, stopped when dropped.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fs_err as fs;
use tempfile::TempDir;

use crate::{Error, Postgres, Result, installed::User};

// It listens within milliseconds.
const START_TIMEOUT: Duration = Duration::from_secs(10);
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(10);

/// A running PgBouncer. All of its clients become one role of the server, without a password.
#[derive(Debug)]
pub struct PgBouncer {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl PgBouncer {
    /// Starts one in front of the server, with settings of the section `pgbouncer`, one per line.
    pub fn start(server: &Postgres, role: &str, settings: &str) -> Result<Self> {
        let folder = TempDir::with_prefix("todostack-dev-pgbouncer-").map_err(Error::Folder)?;
        let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        let port = address.map_err(Error::Port)?.port();
        let configuration = format!(
            "[databases]\n* = host=127.0.0.1 port={} user={role}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\n{settings}\n",
            server.port()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, configuration).map_err(Error::Folder)?;
        server.give_folder(folder.path())?;
        server.give_folder(&file)?;
        let program = program()?;
        let mut command = Command::new(&program);
        // It does not run as root.
        if let Some(User { uid, gid }) = User::of_servers()? {
            command.uid(uid).gid(gid);
        }
        command.arg(&file).current_dir(folder.path());
        let log = fs::File::create(folder.path().join("log")).map_err(Error::Folder)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.into_parts().0);
        let process = command
            .spawn()
            .map_err(|source| Error::NoProgram { program: program.display().to_string(), source })?;
        let pooler = Self { process, port, folder };
        pooler.until_it_listens()?;
        Ok(pooler)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn until_it_listens(&self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if Instant::now() >= deadline {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(Error::Failed {
                    program: "pgbouncer".to_owned(),
                    output: crate::on_one_line(&log),
                });
            }
            thread::sleep(BETWEEN_ATTEMPTS);
        }
        Ok(())
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It fails when the process has exited already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Debian installs it where the PATH of users does not lead.
fn program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let mut programs = folders.map(|folder| folder.join("pgbouncer"));
    programs.find(|program| program.is_file()).ok_or(Error::NoPgBouncer)
}
