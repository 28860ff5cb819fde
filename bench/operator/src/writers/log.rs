//! The writes of the operator's processes in the audit log. Each process has a group of its own in its client
//! certificate; the user is that of the chart's ServiceAccount, which has the permissions.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::Write;

/// Groups of processes begin with it.
pub(crate) const GROUP: &str = "todostack:process:";

const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    verb: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<Status>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

/// All writes of a user until now. What no process has sent is an error: nothing must be overlooked.
pub(crate) fn read(path: &Path, user: &str) -> anyhow::Result<Vec<Write>> {
    let mut writes = Vec::new();
    let mut reader = BufReader::new(fs_err::File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        // The last line may still be written.
        if !line.ends_with(b"\n") {
            return Ok(writes);
        }
        let entry: Entry = serde_json::from_slice(&line)?;
        if entry.user.username == user && WRITES.contains(&entry.verb.as_str()) {
            writes.push(write(entry)?);
        }
    }
}

fn write(entry: Entry) -> anyhow::Result<Write> {
    let process = entry.user.groups.iter().find_map(|group| group.strip_prefix(GROUP));
    let process = process.ok_or_else(|| {
        let at = entry.request_received_timestamp;
        anyhow::anyhow!("a {} of {at} was sent by no known process", entry.verb)
    })?;
    let object = entry.object_ref.unwrap_or_default();
    let ObjectRef { mut resource, subresource, namespace, name } = object;
    if !subresource.is_empty() {
        resource = format!("{resource}/{subresource}");
    }
    Ok(Write {
        process: process.to_owned(),
        received: entry.request_received_timestamp,
        answered: entry.stage_timestamp,
        verb: entry.verb,
        resource,
        namespace,
        name,
        code: entry.response_status.map(|status| status.code).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::{Value, json};

    use super::*;

    fn entry(user: &str, verb: &str, group: &str) -> Value {
        json!({
            "stage": "ResponseComplete", "verb": verb, "user": {"username": user, "groups": ["x", group]},
            "objectRef": {"resource": "todostacks", "subresource": "status", "namespace": "n", "name": "s1"},
            "responseStatus": {"code": 200}, "requestReceivedTimestamp": "2026-01-01T00:00:01.000001Z",
            "stageTimestamp": "2026-01-01T00:00:02.000002Z",
        })
    }

    fn read_entries(entries: &[Value]) -> anyhow::Result<Vec<Write>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for entry in entries {
            writeln!(file, "{entry}").unwrap();
        }
        write!(file, "{{\"unfinished").unwrap();
        read(file.path(), "op")
    }

    #[test]
    fn the_writes_of_a_user_are_attributed_to_processes() {
        let own = format!("{GROUP}replica-1.3");
        let entries = [entry("op", "patch", &own), entry("op", "get", &own), entry("other", "patch", "y")];
        let writes = read_entries(&entries).unwrap();
        let shown: Vec<_> = writes.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["replica-1.3: patch todostacks/status n/s1, 2026-01-01T00:00:01.000001Z to \
              2026-01-01T00:00:02.000002Z, 200"]
        );
    }

    #[test]
    fn a_write_of_no_known_process_is_an_error() {
        assert!(read_entries(&[entry("op", "patch", "y")]).is_err());
    }
}
