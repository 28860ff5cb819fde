//! The values that a namespace's Secrets hold or have held, and the search for them. What is searched is
//! `outputs.rs`.

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
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use tokio::{sync::oneshot, task::JoinHandle};

use todostack_stack::resources::login_secret::PUBLIC_KEYS;

use crate::outputs::Text;

// A TLS server sends its certificates to every client.
const CERTIFICATES: &[&str] = &["tls.crt", "ca.crt"];
// A shorter value occurs in many texts by chance.
const MIN_LENGTH: usize = 8;
// RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

// Secret, key and value.
type Values = BTreeSet<(String, String, Vec<u8>)>;

pub(crate) struct SecretValues {
    secrets: Api<Secret>,
    values: Arc<Mutex<Values>>,
    watch: JoinHandle<()>,
}

impl Drop for SecretValues {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl SecretValues {
    // Records from now on what Secrets hold, also those that are changed or deleted later.
    pub(crate) async fn watch(secrets: Api<Secret>) -> Result<Self> {
        let values = Arc::new(Mutex::new(Values::new()));
        let (listed, is_listed) = oneshot::channel();
        let watch = tokio::spawn(record_all(secrets.clone(), Arc::clone(&values), listed));
        is_listed.await.context("the watch of Secrets did not start")?;
        Ok(Self { secrets, values, watch })
    }

    // Fails if a value occurs in one of the texts. Returns the number of values.
    pub(crate) async fn ensure_absent(&self, texts: &[Text]) -> Result<usize> {
        // The watch may lag behind.
        for secret in self.secrets.list(&ListParams::default()).await? {
            record(&self.values, &secret);
        }
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (secret, key, value) in &values {
            ensure!(value.len() >= MIN_LENGTH, "{key} of Secret {secret} is too short to search for");
            for spelling in spellings(value) {
                let finder = memmem::Finder::new(&spelling);
                for Text { place, bytes } in texts {
                    ensure!(finder.find(bytes).is_none(), "{key} of Secret {secret} occurs in {place}");
                }
            }
        }
        Ok(values.len())
    }
}

async fn record_all(secrets: Api<Secret>, values: Arc<Mutex<Values>>, listed: oneshot::Sender<()>) {
    let mut listed = Some(listed);
    let mut events = watcher(secrets, watcher::Config::default()).default_backoff().boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::Apply(secret) | watcher::Event::InitApply(secret)) => record(&values, &secret),
            Ok(watcher::Event::InitDone) => {
                // The receiver is gone if the test ended before.
                let _ = listed.take().map(|listed| listed.send(()));
            }
            // The watcher restarts a watch that failed.
            Ok(watcher::Event::Init | watcher::Event::Delete(_)) | Err(_) => {}
        }
    }
}

fn record(values: &Mutex<Values>, secret: &Secret) {
    let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
    for (key, ByteString(value)) in secret.data.iter().flatten() {
        let is_public = PUBLIC_KEYS.contains(&key.as_str()) || CERTIFICATES.contains(&key.as_str());
        // A trailing newline is ignored by all readers, so outputs would have the value without it.
        let value = value.trim_ascii_end();
        if !is_public && !value.is_empty() {
            values.insert((secret.name_any(), key.clone(), value.to_vec()));
        }
    }
}

// A value as it is, in base64, percent-encoded, in JSON, and in JSON as Go writes it.
fn spellings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![value.to_vec()];
    // The padding is cut, because a longer text in base64 that begins with the value has none there.
    let base64 = serde_json::to_value(ByteString(value.to_vec())).unwrap_or_default();
    all.extend(base64.as_str().map(|it| it.trim_end_matches('=').as_bytes().to_vec()));
    all.push(percent_encode(value, RESERVED).to_string().into_bytes());
    if let Ok(json) = serde_json::to_string(&String::from_utf8_lossy(value)) {
        let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
        // Go's encoder escapes these, so that JSON can be embedded in HTML.
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
    fn a_value_is_searched_for_in_every_spelling() {
        let actual = spellings("a\"&/ß".as_bytes()).into_iter().map(|it| String::from_utf8(it).unwrap());
        let expected = ["YSImL8Of", "a\"&/ß", "a%22%26%2F%C3%9F", "a\\\"&/ß", "a\\\"\\u0026/ß"];
        assert_eq!(actual.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn replaced_values_are_recorded_and_public_values_are_not() {
        let values = Mutex::new(Values::new());
        for password in ["the first\r\n", "the second"] {
            let data = [("password", password), ("username", "shop"), ("tls.crt", "a certificate")];
            let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
            record(&values, &Secret { data: Some(data.into()), ..Secret::default() });
        }
        let recorded = values.into_inner().unwrap().into_iter().map(|(_, key, value)| (key, value));
        let expected = ["the first", "the second"].map(|it| ("password".to_owned(), it.as_bytes().to_vec()));
        assert_eq!(recorded.collect::<Vec<_>>(), expected);
    }
}
