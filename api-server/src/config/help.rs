//! The examples at the end of `--help`, and a snapshot of all of it. The texts of flags are beside them.

pub(super) const EXAMPLES: &str = "\
Examples:
  On this machine, with the todos in ./todos.db; then open http://localhost:8080:
    todostack-api

  For all machines, with the todos in Postgres. `migrate` creates the tables, and is run for each new version:
    export DATABASE_URL=postgres://shop@db.example.com/todos PGPASSWORD_FILE=/run/secrets/password
    todostack-api migrate
    todostack-api --listen '[::]:8080'

  Behind a proxy such as an Ingress, with at most 50 requests per second of each client:
    todostack-api --trusted-proxy-hops 1 --rate-limit-rps 50

  For the users of an identity provider, who log in on the page and see their own todos only:
    todostack-api --jwt-issuer https://login.example.com --jwt-audience todos \\
        --jwks-url https://login.example.com/jwks.json --oidc-client-id todos-page

  Create a todo, list what is to be done, and follow all changes:
    curl localhost:8080/todos --json '{\"title\": \"tea\"}'
    curl 'localhost:8080/todos?completed=false'
    curl --no-buffer localhost:8080/todos/events";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::config::Cli;

    #[test]
    fn the_help_has_every_flag_with_its_variable_and_default_and_ends_with_examples() {
        insta::assert_snapshot!(Cli::command().term_width(100).render_long_help());
    }
}
