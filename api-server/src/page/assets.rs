//! The files of the page, embedded in the binary. Their addresses have a digest of all of them, so that each
//! can be cached without expiry, and modules import each other by their plain names.

use std::{collections::BTreeMap, sync::LazyLock};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::representation::Representation;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/page/", $name)))),+]
    };
}

const HTML: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/page/index.html"));

/// All files but the HTML, which has an address of its own.
const FILES: &[(&str, &[u8])] = files![
    "icon.svg",
    "main.js",
    "model/events.js",
    "model/merge.js",
    "model/operations.js",
    "model/order.js",
    "model/queue.js",
    "model/route.js",
    "model/words.js",
    "net/access.js",
    "net/actions.js",
    "net/api.js",
    "net/kept.js",
    "net/live.js",
    "net/oidc.js",
    "net/store.js",
    "net/sync.js",
    "style.css",
    "todos.css",
    "view/access.js",
    "view/app.js",
    "view/ask.js",
    "view/conflict.js",
    "view/details.js",
    "view/drag.js",
    "view/item.js",
    "view/items.js",
    "view/lists.js",
    "view/make.js",
    "view/search.js",
    "view/status.js",
    "words/en.js",
    "words/es.js",
    "words/pt.js",
    "worker.js",
];

/// The service worker, which is registered and not imported.
pub(super) const WORKER: &str = "worker.js";

/// Stands for the digest in the HTML.
const VERSION: &str = "{version}";

pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::new);
/// Twelve characters, which no two versions of a page will share.
static DIGEST: LazyLock<String> = LazyLock::new(digest);

pub(super) struct Assets {
    files: BTreeMap<&'static str, Representation>,
}

impl Assets {
    fn new() -> Self {
        let files = FILES.iter().filter_map(|(name, bytes)| {
            Some((*name, Representation::new(content_type(name)?, Bytes::from_static(bytes))))
        });
        Self { files: files.collect() }
    }

    pub(super) fn find(&self, version: &str, file: &str) -> Option<&Representation> {
        self.files.get(file).filter(|_| version == *DIGEST)
    }
}

/// The HTML with the addresses of the files.
pub(super) fn html() -> String {
    HTML.replace(VERSION, &DIGEST)
}

fn digest() -> String {
    let mut digest = Sha256::new();
    for (name, bytes) in FILES {
        // With lengths, so that no two sets of files are the same text.
        digest.update(name.len().to_be_bytes());
        digest.update(name);
        digest.update(bytes.len().to_be_bytes());
        digest.update(bytes);
    }
    BASE64_URL_SAFE_NO_PAD.encode(digest.finalize()).chars().take(12).collect()
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;
    use crate::page::representation::compress;

    /// Of all files together.
    const MAX_GZIP_BYTES: usize = 60 * 1_024;

    fn names_in(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    names_in(&path).iter().map(|file| format!("{name}/{file}")).collect()
                } else {
                    BTreeSet::from([name])
                }
            })
            .collect()
    }

    #[test]
    fn every_file_of_the_page_is_embedded() {
        let mut files = names_in(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/page")));
        assert!(files.remove("index.html"));
        assert_eq!(files, FILES.iter().map(|(name, _)| (*name).to_owned()).collect());
        assert_eq!(ASSETS.files.len(), FILES.len(), "each has a content type");
    }

    #[test]
    fn the_page_has_at_most_60_kib_of_gzip() {
        let all = FILES.iter().map(|(_, bytes)| *bytes).chain([HTML.as_bytes()]);
        let size: usize = all.map(|bytes| compress(bytes).unwrap().len()).sum();
        assert!(size <= MAX_GZIP_BYTES, "{size} bytes");
    }

    fn is_module(name: &str) -> bool {
        name != WORKER && content_type(name).is_some_and(|media_type| media_type.contains("javascript"))
    }

    /// Otherwise a browser would learn of a module only after it has loaded those that import it.
    #[test]
    fn every_module_is_preloaded() {
        for (name, _) in FILES.iter().filter(|(name, _)| is_module(name)) {
            let preload = format!("<link rel=\"modulepreload\" href=\"page/{VERSION}/{name}\">");
            let script = format!("src=\"page/{VERSION}/{name}\"");
            assert!(HTML.contains(&preload) || HTML.contains(&script), "{name}");
        }
    }

    #[test]
    fn the_html_refers_to_embedded_files_only() {
        let html = html();
        let folder = format!("\"page/{}/", *DIGEST);
        let names: Vec<_> = html.split(&folder).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(!names.is_empty());
        for name in names {
            assert!(ASSETS.find(&DIGEST, name).is_some(), "{name}");
        }
        assert!(!html.contains(VERSION));
    }
}
