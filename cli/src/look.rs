//! From a scope to what is known of each stack in it: read, put together, examined.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kube::{Client, ResourceExt as _};
use todostack_crds::TodoStack;
use todostack_operator::{
    args::Config,
    observe::Observed,
    references::{self, References},
    resources::api_deployment,
    stack::Stack,
};

use crate::{
    error::Error,
    examine::{self, Examined},
    gaps::Gap,
    observed,
    read::{self, Lists, Scope, single},
    report::Report,
    settings,
};

/// Stacks that are read at a time.
const AT_ONCE: usize = 8;

/// What is known of one stack.
pub(crate) struct Known {
    stack: TodoStack,
    seen: Observed,
    gaps: Vec<Gap>,
    config: Config,
}

impl Known {
    fn examined(&self, now: Timestamp) -> Examined<'_> {
        let Self { stack, seen, gaps, config } = self;
        Examined { stack, seen, gaps, config, now }
    }

    /// The stack as the operator would resolve it, and whether its logins are the true ones: not where they come from
    /// a Secret of the user's that may not be read.
    pub(crate) fn resolved(&self, now: Timestamp) -> Result<(Stack, bool), Error> {
        let stack = examine::resolved(self.examined(now)).map_err(|source| self.failed(source))?;
        let References { credentials, external, tls: _, init_scripts: _ } = references::of(&self.stack.spec);
        let generated = credentials.is_none() && external.is_none();
        Ok((stack, generated || !self.gaps.contains(&Gap::Secrets)))
    }

    fn report(&self, now: Timestamp) -> Result<Report, Error> {
        examine::examine(self.examined(now)).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: todostack_operator::resolve::Error) -> Error {
        Error::Resolve { name: self.stack.name_any(), source }
    }
}

/// Reports on all stacks in scope.
pub(crate) async fn reports(client: &Client, scope: &Scope, now: Timestamp) -> Result<Vec<Report>, Error> {
    known(client, scope).await?.iter().map(|known| known.report(now)).collect()
}

/// Reads all stacks in scope.
pub(crate) async fn known(client: &Client, scope: &Scope) -> Result<Vec<Known>, Error> {
    let mut lists = read::lists(client, scope).await?;
    let config = settings::of(&lists.operators);
    if config.is_none() && !lists.gaps.contains(&Gap::Operator) {
        lists.gaps.push(Gap::Operator);
    }
    let (lists, config) = (&lists, &config);
    stream::iter(&lists.stacks)
        .map(|stack| one(client, stack, lists, config.clone()))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn one(
    client: &Client,
    stack: &TodoStack,
    lists: &Lists,
    config: Option<Config>,
) -> Result<Known, Error> {
    let named = single::named(client, stack, &observed::labelled(stack, lists)).await?;
    let mut gaps = lists.gaps.clone();
    gaps.extend(named.gaps.iter().filter(|gap| !lists.gaps.contains(gap)).copied().take(1));
    let mut seen = observed::observed(stack, lists, named);
    match single::events(client, &stack.namespace().unwrap_or_default(), &seen).await? {
        Some(events) => seen.events = events,
        None => gaps.push(Gap::Events),
    }
    observed::stand_in(stack, &gaps, &mut seen);
    let config = if let Some(config) = config {
        config
    } else {
        let running = seen.deployment.as_deref().and_then(api_deployment::released);
        settings::guessed(running.map(|release| release.image))?
    };
    Ok(Known { stack: stack.clone(), seen, gaps, config })
}
