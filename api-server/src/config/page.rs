//! Flags and environment variables of the page.

use anyhow::{Context as _, ensure};
use clap::{ArgAction, Args};
use http::Uri;

use super::{AuthArgs, given};
use crate::page::{Login, PageSettings};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Page")]
pub struct PageArgs {
    /// Serve the page for browsers at /. Programs always get an index there.
    #[arg(long, global = true, env = "TODOSTACK_PAGE", default_value = "true", action = ArgAction::Set)]
    #[arg(value_name = "BOOL")]
    pub page: bool,
    /// Client id of the page at the issuer of tokens, a public client with the authorization code flow and
    /// PKCE. With it, people log in on the page.
    #[arg(long, global = true, env = "TODOSTACK_OIDC_CLIENT_ID")]
    pub oidc_client_id: Option<String>,
    /// Scopes that the page requests, separated by spaces.
    #[arg(long, global = true, env = "TODOSTACK_OIDC_SCOPE")]
    #[arg(default_value = "openid todos:read todos:write")]
    pub oidc_scope: String,
    /// Origins of the issuer's endpoints, comma separated, when they differ from that of the issuer
    /// (https://shop.auth.eu-west-1.amazoncognito.com).
    #[arg(long, global = true, env = "TODOSTACK_OIDC_ORIGINS", value_delimiter = ',')]
    pub oidc_origins: Vec<String>,
}

impl PageArgs {
    pub(crate) fn settings(self, auth: &AuthArgs) -> anyhow::Result<Option<PageSettings>> {
        let Self { page, oidc_client_id, oidc_scope, oidc_origins } = self;
        // An empty variable is that of an absent value in a manifest.
        let client_id = oidc_client_id.filter(|id| !id.is_empty());
        let login = client_id.map(|client_id| {
            let issuer = auth.jwt_issuer.clone();
            let issuer = issuer.context("TODOSTACK_OIDC_CLIENT_ID needs TODOSTACK_JWT_ISSUER")?;
            let audience = auth.jwt_audience.clone().unwrap_or_default();
            let own = origin(&issuer).context("the page can only log in at an issuer that is a URL")?;
            let further = given(&oidc_origins).map(|text| {
                let origin = origin(text)?;
                ensure!(
                    origin == text.trim_end_matches('/'),
                    "`{text}` in TODOSTACK_OIDC_ORIGINS has a path"
                );
                Ok(origin)
            });
            let origins = [Ok(own)].into_iter().chain(further).collect::<anyhow::Result<_>>()?;
            Ok::<_, anyhow::Error>(Login { issuer, audience, client_id, scope: oidc_scope, origins })
        });
        let login = login.transpose()?;
        Ok(page.then_some(PageSettings { login }))
    }
}

/// `https://login.example.com:8443` of an address there.
fn origin(text: &str) -> anyhow::Result<String> {
    let invalid = || format!("`{text}` is not a URL such as https://login.example.com");
    let uri: Uri = text.parse().with_context(invalid)?;
    match (uri.scheme_str(), uri.authority()) {
        // It becomes part of a header, where a user name has no place.
        (Some(scheme @ ("http" | "https")), Some(host)) if !host.as_str().contains(['@', ';', ',']) => {
            Ok(format!("{scheme}://{host}"))
        }
        _ => anyhow::bail!(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use rstest::rstest;

    use super::*;
    use crate::config::Cli;

    fn settings(flags: &[&str]) -> anyhow::Result<Option<PageSettings>> {
        let cli = Cli::parse_from([&["todostack-api"], flags].concat());
        cli.serve.page.settings(&cli.auth)
    }

    #[test]
    fn the_page_is_on_by_default_and_has_no_login() {
        assert_eq!(settings(&[]).unwrap(), Some(PageSettings { login: None }));
        assert_eq!(settings(&["--page=false"]).unwrap(), None);
    }

    #[test]
    fn the_origins_of_a_login_are_that_of_the_issuer_and_those_given() {
        let issuer = "--jwt-issuer=https://login.example.com:8443/realms/shop/";
        let further = "--oidc-origins=https://a.example,https://b.example/";
        let settings = settings(&[issuer, "--jwt-audience=todos", "--oidc-client-id=page", further]);
        let login = settings.unwrap().unwrap().login.unwrap();
        let origins = ["https://login.example.com:8443", "https://a.example", "https://b.example"];
        assert_eq!(login.origins, origins);
        assert_eq!((&*login.audience, &*login.client_id), ("todos", "page"));
    }

    #[rstest]
    #[case::no_issuer(&["--oidc-client-id=page"])]
    #[case::issuer_without_url(&["--oidc-client-id=page", "--jwt-issuer=us"])]
    #[case::directive(&["--oidc-client-id=page", "--jwt-issuer=https://a", "--oidc-origins=https://b;img-src"])]
    #[case::path(&["--oidc-client-id=page", "--jwt-issuer=https://a", "--oidc-origins=https://b/c"])]
    fn half_a_login_is_an_error_at_startup(#[case] flags: &[&str]) {
        assert!(settings(flags).is_err());
    }
}
