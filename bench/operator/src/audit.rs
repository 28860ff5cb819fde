//! Requests of one user, from the API server's audit log.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

/// Reads the audit log from where the last reading ended.
pub(crate) struct Audit {
    path: PathBuf,
    user: String,
    offset: u64,
}

/// Requests that were answered, without those that keep a Lease.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    /// By verb and resource: `patch services`.
    pub(crate) counts: BTreeMap<String, u64>,
    /// When the last one was answered, watches aside.
    pub(crate) last: Option<Timestamp>,
    /// When the last object was created that is neither a status nor an Event.
    pub(crate) last_created: Option<Timestamp>,
    /// When the first one was.
    pub(crate) first_created: Option<Timestamp>,
    pub(crate) created: u64,
    /// Answers of 404 to GETs.
    pub(crate) not_found: u64,
    /// Answers of 4xx and 5xx other than those.
    pub(crate) failed: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    stage: String,
    verb: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<Status>,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct ObjectRef {
    resource: Option<String>,
    subresource: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: Option<u16>,
}

impl Audit {
    /// The requests of a user from now on.
    pub(crate) fn new(path: PathBuf, user: impl Into<String>) -> anyhow::Result<Self> {
        let offset = fs_err::metadata(&path)?.len();
        Ok(Self { path, user: user.into(), offset })
    }

    /// Adds what was written since the last reading.
    pub(crate) fn read(&mut self, requests: &mut Requests) -> anyhow::Result<()> {
        let mut file = fs_err::File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            // The last line may still be written.
            if !line.ends_with(b"\n") {
                return Ok(());
            }
            self.offset += length as u64;
            let entry: Entry = serde_json::from_slice(&line)?;
            if entry.user.username == self.user {
                requests.add(&entry);
            }
        }
    }
}

impl Requests {
    fn add(&mut self, entry: &Entry) {
        let object = entry.object_ref.as_ref();
        let resource = object.and_then(|object| object.resource.as_deref()).unwrap_or("none");
        let is_watch = entry.verb == "watch";
        // A watch is logged when it starts and when it ends.
        if resource == "leases" || is_watch != (entry.stage == "ResponseStarted") {
            return;
        }
        let subresource = object.and_then(|object| object.subresource.as_deref());
        let name = subresource.map_or_else(|| resource.to_owned(), |sub| format!("{resource}/{sub}"));
        *self.counts.entry(format!("{} {name}", entry.verb)).or_default() += 1;
        if is_watch {
            return;
        }
        self.last = self.last.max(Some(entry.stage_timestamp));
        let code = entry.response_status.as_ref().and_then(|status| status.code).unwrap_or_default();
        match code {
            201 if subresource.is_none() && resource != "events" => {
                self.created += 1;
                self.first_created.get_or_insert(entry.stage_timestamp);
                self.last_created = self.last_created.max(Some(entry.stage_timestamp));
            }
            404 if entry.verb == "get" => self.not_found += 1,
            400.. => self.failed += 1,
            _ => {}
        }
    }

    /// The number of requests with one of the verbs.
    pub(crate) fn of(&self, verbs: &[&str]) -> u64 {
        let is_chosen = |name: &str| verbs.iter().any(|verb| name.split(' ').next() == Some(verb));
        self.counts.iter().filter(|(name, _)| is_chosen(name)).map(|(_, count)| count).sum()
    }

    pub(crate) fn writes(&self) -> u64 {
        self.of(&["create", "update", "patch", "delete", "deletecollection"])
    }

    /// GETs; LISTs and watches are neither.
    pub(crate) fn reads(&self) -> u64 {
        self.of(&["get"])
    }

    pub(crate) fn lists(&self) -> u64 {
        self.of(&["list"])
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn line(user: &str, verb: &str, stage: &str, rest: &str) -> String {
        format!(
            r#"{{"stage":"{stage}","verb":"{verb}","user":{{"username":"{user}"}},"stageTimestamp":"2026-01-01T00:00:0{rest}}}"#
        )
    }

    #[test]
    fn requests_of_one_user_are_counted_by_verb_and_resource() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut audit = Audit::new(file.path().to_owned(), "op").unwrap();
        let created = r#"1Z","objectRef":{"resource":"services"},"responseStatus":{"code":201}"#;
        let status = r#"2Z","objectRef":{"resource":"todostacks","subresource":"status"},"responseStatus":{"code":200}"#;
        let lease = r#"3Z","objectRef":{"resource":"leases"},"responseStatus":{"code":200}"#;
        let watch = r#"4Z","objectRef":{"resource":"pods"}"#;
        let lines = [
            line("op", "patch", "ResponseComplete", created),
            line("op", "patch", "ResponseComplete", status),
            line("op", "update", "ResponseComplete", lease),
            line("op", "watch", "ResponseStarted", watch),
            line("op", "watch", "ResponseComplete", watch),
            line("other", "patch", "ResponseComplete", created),
        ];
        write!(file, "{}\n{{\"unfinished", lines.join("\n")).unwrap();
        let mut requests = Requests::default();
        audit.read(&mut requests).unwrap();
        audit.read(&mut requests).unwrap();
        let counts: Vec<_> = requests.counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(counts, [("patch services", 1), ("patch todostacks/status", 1), ("watch pods", 1)]);
        assert_eq!((requests.writes(), requests.created), (2, 1));
        assert_eq!(requests.last.unwrap().to_string(), "2026-01-01T00:00:02Z");
    }
}
