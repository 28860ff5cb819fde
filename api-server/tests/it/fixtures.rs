//! Values for tests that call a store without HTTP. JSON bodies stand in the tests themselves.

use todostack_store::{Collection, NewTodo, Tags, Title};

/// A todo with a title and nothing else.
pub fn new_todo(title: &str) -> NewTodo {
    NewTodo {
        title: Title::new(title.to_owned()).unwrap(),
        completed: false,
        order: None,
        due_date: None,
        tags: Tags::default(),
        priority: None,
    }
}

/// The default list of an owner, or one of its named lists.
pub fn collection(owner: &str, list: Option<i64>) -> Collection {
    Collection { owner: owner.into(), list }
}
