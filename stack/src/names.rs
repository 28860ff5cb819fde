//! Names of objects and DNS names of a stack, one function each. What the objects hold is in `resources/`.

use crate::hash;

/// Longest name of a stack (a rule of the CRD); every suffix below keeps a DNS label (63) with it.
#[cfg(test)]
const LONGEST_STACK: usize = 40;

/// Service, StatefulSet and PersistentVolumeClaim of the database.
pub fn database(stack: &str) -> String {
    format!("{stack}-db")
}

/// PersistentVolumeClaim of the SQLite file.
pub fn sqlite_claim(stack: &str) -> String {
    format!("{stack}-sqlite")
}

/// Secret with the superuser's credentials.
pub fn superuser_secret(stack: &str) -> String {
    format!("{stack}-db-superuser")
}

/// Secret with the credentials that the API uses.
pub fn app_secret(stack: &str) -> String {
    format!("{stack}-db-app")
}

/// Secret with the credentials that the server is yet to accept. Only the operator's pods read it, and the
/// hash keeps it apart from a foreign one.
pub fn next_secret(stack: &str) -> String {
    format!("{stack}-db-app-next-{}", hash::short(&[stack]))
}

/// ServiceAccount of all pods.
pub fn service_account(stack: &str) -> String {
    stack.to_owned()
}

/// Deployment, Service and PodDisruptionBudget of the API.
pub fn api(stack: &str) -> String {
    format!("{stack}-api")
}

/// Ingress of the API.
pub fn ingress(stack: &str) -> String {
    stack.to_owned()
}

/// The migration Job for one API image and one revision of the credentials.
pub fn migration(stack: &str, image: &str, revision: &str) -> String {
    format!("{stack}-migrate-{}", hash::short(&[image, revision]))
}

/// The cluster-scoped PersistentVolume. The hash distinguishes `a-b/c` from `a/b-c`.
pub fn volume(namespace: &str, stack: &str) -> String {
    format!("todostack-{namespace}-{stack}-{}", hash::short(&[namespace, stack]))
}

/// Fully qualified host name of the database: search domains differ between pods.
pub fn database_host(stack: &str, namespace: &str, cluster_domain: &str) -> String {
    format!("{}.{namespace}.svc.{cluster_domain}", database(stack))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_longest_stack_is_a_dns_label() {
        let stack = "s".repeat(LONGEST_STACK);
        let names = [
            database(&stack),
            sqlite_claim(&stack),
            superuser_secret(&stack),
            app_secret(&stack),
            next_secret(&stack),
            service_account(&stack),
            api(&stack),
            ingress(&stack),
            migration(&stack, "registry.example.com/api:1", "revision"),
        ];
        for name in names {
            assert!(name.len() <= 63, "{name} has {} characters", name.len());
        }
    }

    #[test]
    fn volumes_of_stacks_whose_names_concatenate_equally_differ() {
        assert_ne!(volume("a-b", "c"), volume("a", "b-c"));
    }

    #[test]
    fn each_image_and_revision_has_its_own_migration() {
        let first = migration("shop", "api:1", "r1");
        assert_eq!(first, migration("shop", "api:1", "r1"));
        assert_ne!(first, migration("shop", "api:2", "r1"));
        assert_ne!(first, migration("shop", "api:1", "r2"));
    }
}
