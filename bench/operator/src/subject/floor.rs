//! The floor: the objects of all stacks, applied as fast as 32 connections allow.

use futures::{TryStreamExt as _, stream};
use kube::api::{Api, ListParams, Patch, PatchParams};
use todostack_crds::TodoStack;
use todostack_stack::managed::Kind;

use super::{CONNECTIONS, create_all, todostacks};
use crate::stacks::{self, Id};
use crate::tracker::Tracker;
use crate::world::{self, World};

pub(super) const USER: &str = "floor";

/// Creates the TodoStacks, which own the objects; what is timed begins after that.
pub(super) async fn apply(world: &World, ids: &[Id], tracker: &Tracker) -> anyhow::Result<()> {
    let objects = own(world, ids).await?;
    let client = world::connect(&world.plane.kubeconfig(USER, USER, Some("system:masters"))?).await?;
    stream::iter(objects.into_iter().map(anyhow::Ok))
        .try_for_each_concurrent(CONNECTIONS, async |(id, kind, object)| {
            if tracker.progress(&id).created.is_none() {
                tracker.created(&id);
            }
            let name = stacks::name(&object)?;
            let parameters = PatchParams::apply("floor").force();
            stacks::api(&client, &id, &kind.api_resource())
                .patch(name, &parameters, &Patch::Apply(&object))
                .await?;
            Ok(())
        })
        .await
}

async fn own(world: &World, ids: &[Id]) -> anyhow::Result<Vec<(Id, Kind, serde_json::Value)>> {
    let stacks = ids.iter().map(|id| (id.clone(), stacks::todostack(id))).collect();
    create_all(&world.client, &todostacks(), stacks, &Tracker::default()).await?;
    let api: Api<TodoStack> = Api::all(world.client.clone());
    let mut objects = Vec::new();
    for stored in api.list(&ListParams::default()).await? {
        let id = Id {
            namespace: stored.metadata.namespace.clone().unwrap_or_default(),
            name: stored.metadata.name.clone().unwrap_or_default(),
        };
        let made = stacks::objects(&stored)?;
        objects.extend(made.into_iter().map(|(kind, object)| (id.clone(), kind, object)));
    }
    Ok(objects)
}
