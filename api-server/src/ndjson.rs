//! The lines of a body, in constant memory. What they mean is not here.

use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::{
    error::ApiError,
    extract::{BODY_TIMEOUT, MAX_BODY_BYTES, media_type},
};

/// <https://github.com/ndjson/ndjson-spec>
pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";

/// A body of lines.
pub(crate) struct Lines {
    body: Body,
    /// How many more bytes may come, and how many might at first.
    left: usize,
    max: usize,
    /// What has arrived and was not returned.
    rest: BytesMut,
    /// So many bytes of it have no line break.
    searched: usize,
    ended: bool,
}

/// A line, or why there is none.
#[derive(Debug)]
pub(crate) enum Line {
    Text(Bytes),
    /// It has more bytes than a line may have.
    TooLong,
    End,
}

impl Lines {
    /// Of a body with at most `max` bytes. Fails when it is of another type.
    pub(crate) fn new(request: Request, max: usize) -> Result<Self, ApiError> {
        if media_type(request.headers()) != MEDIA_TYPE {
            return Err(ApiError::UnsupportedMediaType(MEDIA_TYPE));
        }
        let (body, rest) = (request.into_body(), BytesMut::new());
        Ok(Self { body, left: max, max, rest, searched: 0, ended: false })
    }

    /// Fails when the client announced more bytes than may come.
    pub(crate) fn check_size(&self) -> Result<(), ApiError> {
        let fits = usize::try_from(self.body.size_hint().lower()).is_ok_and(|size| size <= self.left);
        if fits { Ok(()) } else { Err(ApiError::BodyTooLarge(self.max)) }
    }

    /// The next line, without its line break.
    pub(crate) async fn next(&mut self) -> Result<Line, ApiError> {
        loop {
            if let Some(at) = self.rest.iter().skip(self.searched).position(|byte| *byte == b'\n') {
                let mut line = self.rest.split_to(self.searched.saturating_add(at).saturating_add(1));
                line.truncate(line.len().saturating_sub(1));
                self.searched = 0;
                return Ok(if line.len() > MAX_BODY_BYTES {
                    Line::TooLong
                } else {
                    Line::Text(line.freeze())
                });
            }
            self.searched = self.rest.len();
            if self.rest.len() > MAX_BODY_BYTES {
                return Ok(Line::TooLong);
            }
            if self.ended {
                self.searched = 0;
                let line = self.rest.split().freeze();
                return Ok(if line.is_empty() { Line::End } else { Line::Text(line) });
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), ApiError> {
        let frame = timeout(BODY_TIMEOUT, self.body.frame()).await.map_err(|_| ApiError::RequestTimeout)?;
        match frame {
            None => self.ended = true,
            // The client closed the connection, or sent invalid chunks.
            Some(Err(_)) => return Err(ApiError::MalformedJson("it is incomplete".to_owned())),
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                let left = self.left.checked_sub(data.len());
                self.left = left.ok_or(ApiError::BodyTooLarge(self.max))?;
                self.rest.extend_from_slice(&data);
            }
        }
        Ok(())
    }

    /// Reads what the client still sends, and ignores it: it could not read a response before.
    pub(crate) async fn discard(&mut self) {
        while let Some(Ok(_)) = self.body.frame().await {}
    }
}
