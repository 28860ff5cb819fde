//! Changes of a spec that would leave the data behind, and those that would not.

use rstest::rstest;
use serde_json::{Value, json};

use super::{rejections, stack};

// A stack with a status, by its YAML.
fn with_status(spec: &str, status: &str) -> Value {
    let mut stack = stack("shop", spec);
    stack["status"] = serde_saphyr::from_str(status).unwrap();
    stack
}

// A user who edits a spec cannot change the status: both versions have the same.
fn rejected(old: &str, new: &str, status: &str) -> Vec<String> {
    rejections(&with_status(new, status), Some(&with_status(old, status)))
}

const NFS: &str = "{database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}";
const SMALL: &str = "{database: {postgres: {storage: {size: 1Gi}}}}";
const LARGE: &str = "{database: {postgres: {storage: {size: 5Gi}}}}";
const FAST: &str = "{database: {postgres: {storage: {storageClassName: fast}}}}";
const SQLITE: &str = "{database: {sqlite: {storage: {size: 5Gi, storageClassName: fast}}}}";
const SEVENTEEN: &str = "{database: {postgres: {version: '17'}}}";
const KIND: &str = "spec.database cannot change between";
const SHRINK: &str = "storage.size cannot shrink";
const CLASS: &str = "storage.storageClassName cannot change";
const USER: &str = "spec.database.postgres.runAsUser cannot change";
const USER_70: &str = "{database: {postgres: {runAsUser: 70}}}";
const USER_999: &str = "{database: {postgres: {runAsUser: 999}}}";
const VERSION: &str = "spec.database.postgres.version cannot change";

// Each with the block that goes, the block that appears, and the values of a block that stays.
#[rstest]
#[case::server(
    NFS,
    "{database: {postgres: {storage: {nfs: {server: nas2, path: /e}}}}}",
    "server and storage.nfs.path"
)]
#[case::nfs_removed(NFS, "{}", "storage.nfs cannot be added or removed")]
#[case::nfs_added("{}", NFS, "storage.nfs cannot be added or removed")]
#[case::shrink(LARGE, "{database: {postgres: {storage: {size: 1500Mi}}}}", SHRINK)]
#[case::size_removed(LARGE, "{database: {postgres: {storage: {}}}}", SHRINK)]
#[case::sized_storage_removed(LARGE, "{database: {postgres: {}}}", SHRINK)]
#[case::sized_database_removed(LARGE, "{}", SHRINK)]
#[case::small_storage_added("{}", "{database: {postgres: {storage: {size: 512Mi}}}}", SHRINK)]
#[case::sqlite_shrink(SQLITE, "{database: {sqlite: {storage: {size: 4Gi, storageClassName: fast}}}}", SHRINK)]
#[case::sqlite_storage_removed(SQLITE, "{database: {sqlite: {}}}", SHRINK)]
#[case::class(FAST, "{database: {postgres: {storage: {storageClassName: slow}}}}", CLASS)]
#[case::class_removed(FAST, "{database: {postgres: {storage: {}}}}", CLASS)]
#[case::storage_with_a_class_removed(FAST, "{}", CLASS)]
#[case::storage_with_a_class_added("{}", FAST, CLASS)]
#[case::sqlite_class_removed(SQLITE, "{database: {sqlite: {storage: {size: 5Gi}}}}", CLASS)]
#[case::downgrade("{database: {postgres: {version: '18'}}}", SEVENTEEN, VERSION)]
#[case::version_added("{}", SEVENTEEN, VERSION)]
#[case::version_removed(SEVENTEEN, "{}", VERSION)]
#[case::user(USER_999, USER_70, USER)]
#[case::user_added("{}", USER_70, USER)]
#[case::user_removed(USER_70, "{database: {postgres: {}}}", USER)]
#[case::database_with_a_user_removed(USER_70, "{}", USER)]
#[case::to_sqlite("{}", "{database: {sqlite: {}}}", KIND)]
#[case::from_sqlite(SQLITE, "{}", KIND)]
#[case::to_external("{database: {postgres: {}}}", "{database: {external: {secret: {name: s}}}}", KIND)]
fn a_change_that_would_lose_the_data_is_rejected(
    #[case] old: &str,
    #[case] new: &str,
    #[case] sentence: &str,
) {
    let status = "{storage: {claim: c, size: 5Gi}, database: {version: x, systemIdentifier: '7'}}";
    let messages = rejected(old, new, status);
    assert!(messages.iter().any(|m| m.contains(sentence)), "{messages:?}");
}

#[rstest]
#[case::larger(SMALL, "{database: {postgres: {storage: {size: 2Gi}}}}", "{}")]
#[case::larger_by_a_new_block("{}", LARGE, "{}")]
#[case::default_written_out("{}", "{database: {postgres: {version: '18', storage: {size: 1Gi}}}}", "{}")]
#[case::default_left_out("{database: {postgres: {version: '18', storage: {size: 1Gi}}}}", "{}", "{}")]
#[case::another_spelling(SMALL, "{database: {postgres: {storage: {size: 1024Mi}}}}", "{}")]
#[case::back_to_what_is_bound(LARGE, SMALL, "{storage: {claim: c, size: 1Gi}}")]
#[case::back_by_removing_the_block(LARGE, "{}", "{storage: {claim: c, size: 1024Mi}}")]
#[case::another_version_before_the_first_start("{}", SEVENTEEN, "{database: {version: postgres 18}}")]
#[case::another_user_before_the_first_start("{}", USER_70, "{database: {version: postgres 18}}")]
#[case::the_default_user_written_out("{}", USER_999, "{database: {version: x, systemIdentifier: '7'}}")]
#[case::mount_options(
    NFS,
    "{database: {postgres: {storage: {nfs: {server: nas, path: /e, mountOptions: [hard]}}}}}",
    "{}"
)]
fn a_change_that_keeps_the_data_is_accepted(#[case] old: &str, #[case] new: &str, #[case] status: &str) {
    assert_eq!(rejected(old, new, status), Vec::<String>::new());
}

#[test]
fn a_size_cannot_shrink_before_it_is_known_what_is_bound() {
    let messages = rejections(&stack("shop", SMALL), Some(&stack("shop", LARGE)));
    assert!(messages.iter().any(|m| m.contains(SHRINK)), "{messages:?}");
}

// The operator writes the status of a stack whose spec stays as it is, whatever the status says.
#[test]
fn the_status_can_always_be_written() {
    let new = with_status(
        SMALL,
        "{storage: {claim: c, size: 10Gi}, database: {version: x, systemIdentifier: '7'}}",
    );
    assert_eq!(rejections(&new, Some(&stack("shop", SMALL))), Vec::<String>::new());
    let before: Value = json!(with_status(SMALL, "{}"));
    assert_eq!(rejections(&new, Some(&before)), Vec::<String>::new());
}
