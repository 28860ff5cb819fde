//! The environment of the API's container, and of the container that tries an image. What the variables mean
//! is decided by the API's `config.rs`.

use k8s_openapi::api::core::v1::EnvVar;
use todostack_crds::api::{JwtSpec, RateLimitSpec};

use super::{
    api_deployment::{DATA, OPERATIONS_NUMBER},
    api_service, jwks_ca, pod,
};
use crate::{
    names,
    stack::{Api, Database, Stack, TrustedProxies},
};

pub(super) fn build(stack: &Stack) -> Vec<EnvVar> {
    let mut env = match &stack.database {
        Database::Postgres(_) | Database::External(_) => pod::login(&names::app_secret(&stack.id.name)),
        Database::Sqlite(_) => vec![pod::variable("DATABASE_URL", &format!("sqlite://{DATA}/todos.db"))],
    };
    let Api { connections, log_level, allowed_origins, rate_limit, jwt, has_page, .. } = &stack.api;
    env.extend([
        pod::variable("TODOSTACK_LISTEN", &format!("[::]:{}", api_service::TARGET)),
        pod::variable("TODOSTACK_OPERATIONS_LISTEN", &format!("[::]:{OPERATIONS_NUMBER}")),
        pod::variable("TODOSTACK_LOG_LEVEL", log_level),
    ]);
    if let Some(connections) = connections {
        env.push(pod::variable("TODOSTACK_DATABASE_MAX_CONNECTIONS", &connections.to_string()));
    }
    env.extend(proxies(&stack.exposure.trusted_proxies));
    env.extend(stack.exposure.public_url.as_ref().map(|url| pod::variable("TODOSTACK_PUBLIC_URL", url)));
    if !allowed_origins.is_empty() {
        env.push(pod::variable("TODOSTACK_CORS_ALLOWED_ORIGINS", &allowed_origins.join(",")));
    }
    if let Some(RateLimitSpec { requests_per_second, burst }) = rate_limit {
        env.push(pod::variable("TODOSTACK_RATE_LIMIT_RPS", &requests_per_second.to_string()));
        env.extend(burst.map(|burst| pod::variable("TODOSTACK_RATE_LIMIT_BURST", &burst.to_string())));
    }
    env.extend(jwt.iter().flat_map(authentication));
    // An absent variable is the default, so that stacks of earlier versions keep their pods.
    if !has_page {
        env.push(pod::variable("TODOSTACK_PAGE", "false"));
    }
    env
}

fn proxies(trusted: &TrustedProxies) -> Option<EnvVar> {
    match trusted {
        TrustedProxies::Hops(0) => None,
        TrustedProxies::Hops(hops) => Some(pod::variable("TODOSTACK_TRUSTED_PROXY_HOPS", &hops.to_string())),
        TrustedProxies::Networks(networks) => {
            Some(pod::variable("TODOSTACK_TRUSTED_PROXIES", &networks.join(",")))
        }
    }
}

fn authentication(jwt: &JwtSpec) -> Vec<EnvVar> {
    let JwtSpec {
        issuer,
        audience,
        roles_claim,
        jwks_url,
        jwks_ca: authority,
        client_id,
        client_scope,
        client_origins,
    } = jwt;
    let mut env = vec![
        pod::variable("TODOSTACK_JWT_ISSUER", issuer),
        pod::variable("TODOSTACK_JWT_AUDIENCE", audience),
        pod::variable("TODOSTACK_JWKS_URL", jwks_url),
    ];
    env.extend(authority.as_ref().map(|_| pod::variable("TODOSTACK_JWKS_CA_FILE", jwks_ca::FILE)));
    env.extend(roles_claim.as_ref().map(|claim| pod::variable("TODOSTACK_JWT_ROLES_CLAIM", claim)));
    env.extend(client_id.as_ref().map(|id| pod::variable("TODOSTACK_OIDC_CLIENT_ID", id)));
    env.extend(client_scope.as_ref().map(|scope| pod::variable("TODOSTACK_OIDC_SCOPE", scope)));
    if !client_origins.is_empty() {
        env.push(pod::variable("TODOSTACK_OIDC_ORIGINS", &client_origins.join(",")));
    }
    env
}
