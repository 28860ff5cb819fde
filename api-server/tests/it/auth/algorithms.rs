//! Every accepted algorithm, with tokens that another implementation signed, and every way to confuse
//! algorithms.
//!
//! `tokens.json` was written with Python's `cryptography`. Its private keys were not kept; the tokens expire
//! in 2100.

use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use serde_json::Value;
use todostack_api::auth::ALGORITHMS;

use super::{assert_rejected, send, service};

static TOKENS: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("tokens.json")).unwrap());

#[tokio::test]
async fn a_signature_is_valid_for_its_own_token_only() {
    let service = service(&TOKENS["keys"]).await;
    for (algorithm, token) in TOKENS["good"].as_object().unwrap() {
        let token = token.as_str().unwrap();
        let reply = send(&service.client, Method::GET, "/todos", token).await;
        assert_eq!(reply.status, StatusCode::OK, "{algorithm}");

        let parts: Vec<&str> = token.split('.').collect();
        // The same claims for another subject, of the same length.
        let claims = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let forged = String::from_utf8(claims).unwrap().replace("\"ann\"", "\"bob\"");
        let forged = BASE64_URL_SAFE_NO_PAD.encode(forged);
        let mut signature = BASE64_URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        signature[10] ^= 1;
        let changed = BASE64_URL_SAFE_NO_PAD.encode(&signature);
        let cut = BASE64_URL_SAFE_NO_PAD.encode(&signature[1..]);
        for (what, token) in [
            ("other claims", format!("{}.{forged}.{}", parts[0], parts[2])),
            ("a bit of the signature", format!("{}.{}.{changed}", parts[0], parts[1])),
            ("a shorter signature", format!("{}.{}.{cut}", parts[0], parts[1])),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ] {
            let what = format!("{algorithm}: {what}");
            assert_rejected(&service, &token, &what, &["its signature is invalid"]).await;
        }
    }
}

#[test]
fn every_accepted_algorithm_is_tested_above() {
    let mut pinned = ALGORITHMS.map(|algorithm| format!("{algorithm:?}"));
    pinned.sort();
    let mut tested: Vec<_> = TOKENS["good"].as_object().unwrap().keys().collect();
    tested.sort();
    assert_eq!(pinned.iter().collect::<Vec<_>>(), tested);
}

#[tokio::test]
async fn a_token_of_one_algorithm_is_rejected_under_another() {
    let service = service(&TOKENS["keys"]).await;
    let bad = TOKENS["bad"].as_array().unwrap();
    assert!(bad.len() > 10);
    for case in bad {
        let [what, why, token] = ["what", "why", "token"].map(|key| case[key].as_str().unwrap());
        assert_rejected(&service, token, what, &[why]).await;
    }
}
