//! The text of `release`: what is kept of a stack, and how to delete it.

use todostack_stack::{managed::Key, stack_ref::StackRef};

use super::{STRONG, paint};

/// What happens without the finalizer, in the future tense until `is_released`.
pub(crate) fn text(id: &StackRef, kept: &[Key], is_released: bool) -> String {
    let StackRef { namespace, name, .. } = id;
    let id = paint(STRONG, &id.to_string());
    let begin = if is_released {
        format!("{id} is released: the finalizer of the operator is removed.")
    } else {
        format!("{id} is being deleted, and waits for the operator to delete its data. Without the operator:")
    };
    let lines = kept.iter().map(|key| {
        let resource = key.kind.api_resource().plural;
        let scope = if key.kind.is_namespaced() { format!(" -n {namespace}") } else { String::new() };
        format!("  {key}\n    delete it: kubectl{scope} delete {resource} {}\n", key.name)
    });
    let kept = if kept.is_empty() {
        "Nothing is kept: it has neither data nor credentials.\n".to_owned()
    } else {
        let note = "This is kept, except what goes with its namespace if that is being deleted:\n";
        format!("{note}{}", lines.collect::<String>())
    };
    let end = if is_released {
        String::new()
    } else {
        format!(
            "Nothing was changed. To remove the finalizer: kubectl todostack release {name} -n {namespace} --yes\n"
        )
    };
    format!("{begin}\n{kept}{end}")
}
