//! Live changes: one reader of the log per replica (`feed`), which hands them to the streams of their owner
//! (`hub`); what a stream sends (`stream`), and its format (`format`). The operation is in `todos/events`.

mod feed;
mod format;
mod hub;
mod stream;

pub(crate) use self::{
    format::{ListDeletedEvent, ListEvent, TodoDeletedEvent, TodoEvent},
    hub::Hub,
    stream::{Resume, stream},
};
