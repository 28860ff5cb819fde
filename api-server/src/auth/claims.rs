//! The claims of a token, and the scopes that they grant. Whether the token is valid is decided in `auth`.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Where issuers put scopes: RFC 8693 (a text) and Duende (a list), Okta (a list) and Entra ID (a text).
const SCOPES: [&str; 2] = ["scope", "scp"];

#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    /// Seconds since 1970, which may have a fraction (RFC 7519, 2).
    pub(super) exp: Option<f64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Claims {
    /// Whether the token has a scope, or a role of that name in the claim of roles.
    pub(super) fn grant(&self, scope: &str, roles: Option<&str>) -> bool {
        let scopes = SCOPES.into_iter().filter_map(|name| self.others.get(name));
        let roles = roles.and_then(|name| find(&self.others, name));
        scopes.chain(roles).any(|claim| contains(claim, scope))
    }
}

/// A claim by its name. Dots lead to a member of a claim (`realm_access.roles`), unless they belong to the
/// name (`https://shop.example/roles`).
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let below = || {
        name.match_indices('.').find_map(|(dot, _)| {
            let claim = claims.get(name.get(..dot)?)?.as_object()?;
            find(claim, name.get(dot + 1..)?)
        })
    };
    claims.get(name).or_else(below)
}

/// Whether a text of words separated by spaces, or a list of texts, has the word.
fn contains(claim: &Value, word: &str) -> bool {
    match claim {
        Value::String(text) => text.split_ascii_whitespace().any(|it| it == word),
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(word)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const SCOPE: &str = "todos:read";

    #[rstest]
    #[case::text(json!({"scope": "openid todos:read"}), true)]
    #[case::list(json!({"scope": ["openid", "todos:read"]}), true)]
    #[case::list_of_okta(json!({"scp": ["todos:read"]}), true)]
    #[case::text_of_entra(json!({"scp": "todos:read todos:write"}), true)]
    #[case::both(json!({"scope": "openid", "scp": "todos:read"}), true)]
    #[case::another(json!({"scope": "todos:readonly"}), false)]
    #[case::two_in_one_item(json!({"scope": ["openid todos:read"]}), false)]
    #[case::no_text(json!({"scope": 1, "scp": {"todos:read": true}}), false)]
    #[case::none(json!({}), false)]
    #[case::roles_that_are_not_configured(json!({"roles": ["todos:read"]}), false)]
    fn a_scope_is_a_text_or_a_list_in_scope_or_scp(#[case] mut claims: Value, #[case] granted: bool) {
        claims["sub"] = json!("ann");
        claims["exp"] = json!(1.5);
        let claims: Claims = serde_json::from_value(claims).unwrap();
        assert_eq!(claims.grant(SCOPE, None), granted);
    }

    #[rstest]
    #[case::entra("roles", json!({"roles": ["todos:read"]}), true)]
    #[case::text("roles", json!({"roles": "todos:read"}), true)]
    #[case::keycloak("realm_access.roles", json!({"realm_access": {"roles": ["todos:read"]}}), true)]
    #[case::client("access.a.b.roles", json!({"access": {"a.b": {"roles": ["todos:read"]}}}), true)]
    #[case::address("https://a.b/roles", json!({"https://a.b/roles": ["todos:read"]}), true)]
    #[case::absent("realm_access.roles", json!({"realm_access": {"other": []}}), false)]
    #[case::dots(".", json!({"": {"": "todos:read"}}), true)]
    fn roles_are_found_by_the_name_or_the_path_of_their_claim(
        #[case] name: &str,
        #[case] mut claims: Value,
        #[case] granted: bool,
    ) {
        claims["sub"] = json!("ann");
        claims["exp"] = json!(1);
        let claims: Claims = serde_json::from_value(claims).unwrap();
        assert_eq!(claims.grant(SCOPE, Some(name)), granted);
    }
}
