//! 600 Secrets of 500 KiB that belong to others: what they cost the operator.

use std::time::Duration;

use futures::{TryStreamExt as _, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};

use crate::life::Life;
use crate::wait;

const SECRETS: usize = 600;
const BYTES: usize = 500 << 10;
const AT_ONCE: usize = 8;

pub(crate) async fn run(life: &mut Life<'_>) -> anyhow::Result<()> {
    eprintln!("      {SECRETS} foreign Secrets");
    life.world.kubectl(&["create", "namespace", "foreign"])?;
    let api: Api<Secret> = Api::namespaced(life.world.client.clone(), "foreign");
    let before = life.running.usage()?;
    stream::iter((0..SECRETS).map(anyhow::Ok))
        .try_for_each_concurrent(AT_ONCE, async |number| {
            let data = ByteString(vec![b'x'; BYTES]);
            let secret = Secret {
                metadata: ObjectMeta { name: Some(format!("foreign-{number}")), ..ObjectMeta::default() },
                data: Some([("data".to_owned(), data)].into()),
                ..Secret::default()
            };
            api.create(&PostParams::default(), &secret).await?;
            Ok(())
        })
        .await?;
    wait::pause(Duration::from_secs(5)).await;
    let after = life.running.usage()?;
    life.measurement.set("foreign_rss_mib", after.resident - before.resident);
    Ok(())
}
