//! The certificate authority of the JWKS as a file of the API's containers. Which variable names the file is
//! in `api_environment.rs`.

use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, Volume, VolumeMount};

use super::pod;
use crate::stack::Api;

/// Key of the ConfigMap.
pub(crate) const KEY: &str = "ca.crt";
pub(super) const FILE: &str = "/etc/todostack/jwks-ca/ca.crt";
const FOLDER: &str = "/etc/todostack/jwks-ca";
const NAME: &str = "jwks-ca";

/// The volume, which the kubelet updates after a change of the ConfigMap. None without an authority.
pub(super) fn volume(api: &Api) -> Option<Volume> {
    let ca = api.jwt.as_ref()?.jwks_ca.as_ref()?;
    let source =
        ConfigMapVolumeSource { name: ca.config_map.name.clone(), ..ConfigMapVolumeSource::default() };
    Some(Volume { name: NAME.to_owned(), config_map: Some(source), ..Volume::default() })
}

/// Its mount. The kubelet does not update what is mounted by `subPath`.
pub(super) fn mount(api: &Api) -> Option<VolumeMount> {
    api.jwt.as_ref()?.jwks_ca.as_ref().map(|_| pod::mount_read_only(NAME, FOLDER))
}
