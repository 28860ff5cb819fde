//! Step 3: the desired state of each managed object. Its content is made in `resources/`; `apply` decides
//! nothing about content.

use strum::IntoEnumIterator as _;

use crate::{
    managed::{Key, ManagedResource, Object},
    stack::Stack,
    upgrade,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Desired {
    /// It exists and is like this.
    Apply(Object),
    /// It stays as it is, whether it exists or not: what it needs is missing, or this kind of stack has none.
    Keep,
    /// It does not exist.
    Delete(Key),
}

impl Desired {
    /// `Apply`, if there is an object; else `Keep`.
    pub fn apply(object: Option<impl Into<Object>>) -> Self {
        object.map_or(Self::Keep, |object| Self::Apply(object.into()))
    }
}

/// The desired state of every managed object, in the order of apply. What an upgrade may not replace yet
/// stays as it is.
pub fn build(stack: &Stack) -> Vec<(ManagedResource, Desired)> {
    let desired = |resource: ManagedResource| {
        if upgrade::keeps(stack, resource) { Desired::Keep } else { resource.desired(stack) }
    };
    ManagedResource::iter().map(|resource| (resource, desired(resource))).collect()
}

#[cfg(test)]
mod tests;
