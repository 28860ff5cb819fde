//! A server from start to end. These tests need an installed Postgres.

use super::*;

impl Postgres {
    fn query(&self, query: &str) -> String {
        let mut psql = Command::new(self.programs().join("psql"));
        let output =
            psql.args([&self.url(), "--no-align", "--tuples-only", "--command", query]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

#[test]
fn quotes_in_a_value_do_not_end_it() {
    let options = Options::default().setting("log_line_prefix", "it's");
    assert_eq!(options.settings, ["log_line_prefix = 'it''s'\n"]);
}

#[test]
fn a_server_has_the_settings_that_were_asked_for() {
    let postgres =
        Postgres::start(&Options::default().setting("max_connections", "7").without_durability()).unwrap();
    assert_eq!(postgres.query("show max_connections"), "7");
    assert_eq!(postgres.query("show fsync"), "off");
}

#[test]
fn a_server_that_was_killed_keeps_what_was_committed() {
    let postgres = Postgres::start(&Options::default()).unwrap();
    postgres.query("create table kept as select 1 as number");
    assert!(postgres.kill().unwrap());
    postgres.restart().unwrap();
    assert_eq!(postgres.query("select number from kept"), "1");
}

#[test]
fn a_dropped_server_leaves_no_folder_and_no_process() {
    let postgres = Postgres::start(&Options::default()).unwrap();
    let (folder, port) = (postgres.folder.path().to_owned(), postgres.port());
    drop(postgres);
    assert!(!folder.exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_setting_that_does_not_exist_is_named_by_the_error() {
    let error = Postgres::start(&Options::default().setting("no_such_setting", "1")).unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}
