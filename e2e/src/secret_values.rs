//! What a namespace's Secrets have held since it was made, and the search for it in what was written. Where things are
//! written is `outputs.rs`.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, ResourceExt as _,
    api::ListParams,
    runtime::{WatchStreamExt as _, watcher},
};
use memchr::memmem;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::outputs::Text;

/// Keys of a login that are no secret: who logs in where, and the number that tells logins apart.
pub(crate) const OPEN_KEYS: &[&str] =
    &["username", "user", "dbname", "database", "host", "port", "sslmode", "revision"];
/// Certificates are shown to everybody who connects.
const CERTIFICATES: &[&str] = &["tls.crt", "ca.crt"];
/// A shorter one stands in many a text by chance.
const SHORTEST: usize = 8;

/// Values of Secrets, by the Secret's name, the key and the value.
type Values = BTreeSet<(String, String, Vec<u8>)>;

/// What the Secrets of one namespace have held.
pub(crate) struct Confidential {
    secrets: Api<Secret>,
    values: Arc<Mutex<Values>>,
    watching: JoinHandle<()>,
}

impl Drop for Confidential {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Confidential {
    /// Notes from now on what Secrets hold, those that are changed or deleted later too.
    pub(crate) async fn of(secrets: Api<Secret>) -> Result<Self> {
        let values = Arc::new(Mutex::new(Values::new()));
        let (listed, begun) = oneshot::channel();
        let watching = tokio::spawn(note_all(secrets.clone(), Arc::clone(&values), listed));
        begun.await.context("the watch of Secrets did not begin")?;
        Ok(Self { secrets, values, watching })
    }

    /// Looks for each value in each text, and gives back how many values there were.
    pub(crate) async fn absent(&self, texts: &[Text]) -> Result<usize> {
        // The watch may be behind.
        for secret in self.secrets.list(&ListParams::default()).await? {
            note(&self.values, &secret);
        }
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (secret, key, value) in &values {
            ensure!(value.len() >= SHORTEST, "{key} of Secret {secret} is too short to be looked for");
            for spelling in spellings(value) {
                let finder = memmem::Finder::new(&spelling);
                for Text { place, bytes } in texts {
                    ensure!(finder.find(bytes).is_none(), "{key} of Secret {secret} stands in {place}");
                }
            }
        }
        Ok(values.len())
    }
}

async fn note_all(secrets: Api<Secret>, values: Arc<Mutex<Values>>, listed: oneshot::Sender<()>) {
    let mut listed = Some(listed);
    let mut events = watcher(secrets, watcher::Config::default()).default_backoff().boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::Apply(secret) | watcher::Event::InitApply(secret)) => note(&values, &secret),
            Ok(watcher::Event::InitDone) => {
                // Nobody listens when the test has ended in the meantime.
                let _ = listed.take().map(|listed| listed.send(()));
            }
            // A watch that broke off begins anew.
            Ok(watcher::Event::Init | watcher::Event::Delete(_)) | Err(_) => {}
        }
    }
}

fn note(values: &Mutex<Values>, secret: &Secret) {
    let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
    for (key, ByteString(value)) in secret.data.iter().flatten() {
        let open = OPEN_KEYS.contains(&key.as_str()) || CERTIFICATES.contains(&key.as_str());
        // A line end is not part of the secret, and stands everywhere.
        let value = value.trim_ascii_end();
        if !open && !value.is_empty() {
            values.insert((secret.name_any(), key.clone(), value.to_vec()));
        }
    }
}

/// A value as it is, as base64, in an address, in JSON, and in JSON as Kubernetes writes it.
fn spellings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![value.to_vec()];
    // Where it stands within something longer that is base64 is left open: its own end is padded.
    let base64 = serde_json::to_value(ByteString(value.to_vec())).unwrap_or_default();
    all.extend(base64.as_str().map(|it| it.trim_end_matches('=').as_bytes().to_vec()));
    let address = value.iter().map(|&byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    all.push(address.collect::<String>().into_bytes());
    if let Ok(json) = serde_json::to_string(&String::from_utf8_lossy(value)) {
        let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
        // Go's encoder writes these so that JSON may stand in HTML.
        let escaped = json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
        all.extend([json.into_bytes(), escaped.into_bytes()]);
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_looked_for_in_every_spelling() {
        let found = spellings("a\"&/ß".as_bytes()).into_iter().map(|it| String::from_utf8(it).unwrap());
        let wanted = ["YSImL8Of", "a\"&/ß", "a%22%26%2F%C3%9F", "a\\\"&/ß", "a\\\"\\u0026/ß"];
        assert_eq!(found.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn what_is_open_is_not_looked_for_and_what_was_replaced_still_is() {
        let values = Mutex::new(Values::new());
        for password in ["the first\r\n", "the second"] {
            let data = [("password", password), ("username", "shop"), ("tls.crt", "a certificate")];
            let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
            note(&values, &Secret { data: Some(data.into()), ..Secret::default() });
        }
        let noted = values.into_inner().unwrap().into_iter().map(|(_, key, value)| (key, value));
        let wanted = ["the first", "the second"].map(|it| ("password".to_owned(), it.as_bytes().to_vec()));
        assert_eq!(noted.collect::<Vec<_>>(), wanted);
    }
}
