//! `StorageReady`: the PersistentVolumeClaim is bound, and its volume can be mounted.

use todostack_crds::{ConditionType::StorageReady, Reason};

use super::{Status, Verdict, View};
use crate::{diagnose::growth, observed::claim, part::Part};

pub(super) fn evaluate(view: View<'_>) -> Verdict {
    let Some(volume) = view.stack.volume() else {
        let message = "An external database needs no volume";
        return Verdict::new(StorageReady, Status::True, Reason::NotNeeded, message);
    };
    if let Some(finding) = view.finding(Part::Storage) {
        return Verdict::finding(StorageReady, finding);
    }
    let claim = view.observed.claim.as_deref();
    let bound = claim.filter(|claim| claim::is_bound(claim)).and_then(claim::volume);
    if let Some(warning) = view.warning(Part::Storage).filter(|_| bound.is_some()) {
        return Verdict::finding(StorageReady, warning);
    }
    if let Some(message) = growth::progress(view.stack, view.observed) {
        return Verdict::new(StorageReady, Status::True, Reason::Progressing, message);
    }
    if let Some(name) = bound {
        let message = format!("PersistentVolumeClaim {} is bound to PersistentVolume {name}", volume.claim);
        return Verdict::new(StorageReady, Status::True, Reason::AsExpected, message);
    }
    let message = format!("PersistentVolumeClaim {} is not bound yet", volume.claim);
    Verdict::new(StorageReady, Status::False, Reason::VolumePending, message)
}
