//! Prints the reasons of a status as a page; `cargo xtask gen` writes it where it is kept.

use strum::{EnumMessage as _, IntoEnumIterator as _};
use todostack_crds::Reason;

fn main() {
    println!("# Reasons\n");
    println!(
        "What the `REASON` column of `kubectl get todostacks` and the `reason` of a condition or an Event can say. The message beside it"
    );
    println!(
        "(`--output wide`) names the object and what to do. Of several causes, `Ready` has the one that explains the others: the first by part"
    );
    println!(
        "(objects, credentials, storage, database, migrations, API, exposure), and within a part by the order here.\n"
    );
    println!("| Reason | Meaning |\n| --- | --- |");
    for reason in Reason::iter() {
        let meaning = reason.get_documentation().unwrap_or_default().replace('\n', " ");
        println!("| `{}` | {} |", reason.as_str(), meaning);
    }
    println!("\nWritten by `cargo xtask gen` from `crds/src/condition.rs`.");
}
