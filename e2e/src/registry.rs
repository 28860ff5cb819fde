//! A registry that denies every pull without a password, at `localhost` of the first ordinary node:
//! containerd uses TLS for all other addresses.

#![expect(clippy::indexing_slicing, reason = "a JSON value has null where a key is missing")]

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use todostack_testbed::local::{plan::Node, record::Record};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::command;

pub const SERVER: &str = "localhost:5001";
pub const PRIVATE_IMAGE: &str = "localhost:5001/private/api:1";
// The node that reaches the registry.
pub const NODE: &str = "node-1";
// Responds with 401, or to a request with any password with the file of the requested name. In Perl, which
// every Debian has.
const PROGRAM: &str = r#"
use IO::Socket::INET;
$| = 1;
my ($type, $digest, $folder) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 5001, Listen => 16, ReuseAddr => 1)
    or die "cannot listen: $!";
print "listening\n";
while (my $client = $server->accept) {
    my $request = <$client> // "";
    my $is_allowed = 0;
    while (<$client>) { $is_allowed = 1 if /^authorization:/i; last if /^\r?$/ }
    my ($status, $headers, $body) = ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"private\"\r\n", "");
    if ($is_allowed) {
        my ($name) = $request =~ m{ \S*/([^/\s]+) };
        $name = $digest if $request =~ m{/manifests/};
        ($status, $headers) = ("404 Not Found", "");
        if (open(my $file, "<", "$folder/$name")) {
            $body = join("", <$file>);
            $status = "200 OK";
            $headers = "Content-Type: $type\r\nDocker-Content-Digest: $name\r\n";
        }
    }
    my $length = length($body);
    $body = "" if $request =~ /^HEAD/;
    print $client "HTTP/1.1 $status\r\n${headers}Content-Length: $length\r\nConnection: close\r\n\r\n$body";
    close $client;
}
"#;

// A registry that runs until this is dropped.
#[derive(Debug)]
pub struct PrivateRegistry {
    _server: Child,
    _files: TempDir,
}

impl PrivateRegistry {
    // Returns when the registry listens. It serves a copy of an image that the node has, whose layers are
    // therefore not pulled. The copy has an ID of its own: the kubelet remembers by ID that an image was
    // pulled with a password, and then lets no other pod use it without one.
    pub async fn start(image: &str) -> Result<Self> {
        let record = Record::read().context("no local cluster runs on this machine")?;
        let node = record.ordinary_nodes().next().context("no ordinary node")?;
        let content = Content { socket: node.socket() };
        let (type_, digest) = content.manifest(image).await?;
        let mut manifest: Value = serde_json::from_str(&content.get(&digest).await?)?;
        let config = manifest["config"]["digest"].as_str().context("no configuration")?.to_owned();
        let mut config: Value = serde_json::from_str(&content.get(&config).await?)?;
        let folder = tempfile::tempdir()?;
        config["config"]["Labels"] = json!({"test": folder.path()});
        let config = add(&folder, &config.to_string()).await?;
        manifest["config"]["size"] = json!(folder.path().join(&config).metadata()?.len());
        manifest["config"]["digest"] = json!(config);
        let digest = add(&folder, &manifest.to_string()).await?;

        let mut server = Command::new("nsenter")
            .arg(format!("--net={}", Node { number: 1 }.network_file().display()))
            .args(["perl", "-e", PROGRAM, &type_, &digest])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to run nsenter")?;
        let stdout = server.stdout.take().context("no standard output")?;
        // Until then, a pull fails with another error than 401.
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        if line.trim() != "listening" {
            bail!("the registry exited with {}", server.wait().await?);
        }
        Ok(Self { _server: server, _files: folder })
    }
}

// Writes a file under its digest, which it returns.
async fn add(folder: &TempDir, text: &str) -> Result<String> {
    let new = folder.path().join("new");
    std::fs::write(&new, text)?;
    let printed = command::output(Command::new("sha256sum").arg(&new)).await?;
    let digest = format!("sha256:{}", printed.split_whitespace().next().context("no sum")?);
    std::fs::rename(new, folder.path().join(&digest))?;
    Ok(digest)
}

// What containerd of a node stores.
struct Content {
    socket: PathBuf,
}

impl Content {
    // Type and digest of the manifest of an image.
    async fn manifest(&self, image: &str) -> Result<(String, String)> {
        let listed = self.ctr(&["images", "list", &format!("name=={image}")]).await?;
        let row = listed.lines().nth(1).with_context(|| format!("{NODE} does not have {image}"))?;
        let mut columns = row.split_whitespace().skip(1).map(str::to_owned);
        columns.next().zip(columns.next()).context("no type and digest")
    }

    async fn get(&self, digest: &str) -> Result<String> {
        self.ctr(&["content", "get", digest]).await
    }

    async fn ctr(&self, arguments: &[&str]) -> Result<String> {
        let mut ctr = Command::new("ctr");
        ctr.arg("--address").arg(&self.socket).args(["--namespace", "k8s.io"]).args(arguments);
        command::output(&mut ctr).await
    }
}
