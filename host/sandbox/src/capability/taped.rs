//! Requests of calls with a tape: what comes of them is recorded, or played without a network.

use super::{
    http::{Leaving, boxed, headers},
    transport::{self, Going, Sent, Target},
};
use crate::{
    context::Context,
    tape::{Answer, Place, Tape},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{self, Poll},
};
use tokio::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long an answer from the tape waits for a guest that still writes its request.
const PATIENCE: Duration = Duration::from_millis(100);

/// Sends a request, or plays what came of it.
pub(crate) async fn send(
    context: Arc<Context>,
    lane: u64,
    target: Target,
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Sent, Error> {
    let Some(tape) = context.given.tape.clone() else {
        return transport::send(context, target, request, options).await;
    };
    let asked = format!("{} {}", request.method(), request.uri());
    if tape.replays() {
        return play(context, &tape, lane, &asked, request).await;
    }
    let place = tape.asked(lane, asked);
    let sent = transport::send(context, target, request, options).await;
    let Some(place) = place else { return sent };
    match sent {
        Ok((response, going)) => {
            note(&tape, place, &response);
            Ok((response.map(|body| boxed(Recording { body, tape, place })), going))
        }
        Err(error) => {
            tape.answered(place, 64, |answer| *answer = Answer::Error(name(&error)));
            Err(error)
        }
    }
}

/// Records the head of a response.
fn note(tape: &Tape, place: Place, response: &http::Response<WasiBody>) {
    let status = response.status().as_u16();
    let fields = response.headers().iter();
    let fields = fields.map(|(name, value)| (name.as_str().to_owned(), BASE64.encode(value.as_bytes()))).collect();
    tape.answered(place, headers(response.headers()), |answer| {
        *answer = Answer::Response { status, headers: fields, frames: Vec::new(), error: None, ended: false };
    });
}

/// A body whose frames go onto a tape.
struct Recording {
    body: WasiBody,
    tape: Tape,
    place: Place,
}

impl Body for Recording {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = task::ready!(Pin::new(&mut self.body).poll_frame(task));
        let (tape, place) = (&self.tape, self.place);
        match &frame {
            Some(Ok(frame)) => match frame.data_ref() {
                Some(data) => tape.answered(place, data.len(), |answer| {
                    if let Answer::Response { frames, .. } = answer {
                        frames.push(BASE64.encode(data));
                    }
                }),
                None => tape.lacks("a response had trailers, which are not recorded"),
            },
            Some(Err(failed)) => tape.answered(place, 64, |answer| {
                if let Answer::Response { error, .. } = answer {
                    *error = Some(name(failed));
                }
            }),
            None => tape.answered(place, 0, |answer| {
                if let Answer::Response { ended, .. } = answer {
                    *ended = true;
                }
            }),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// Plays what came of a request. What goes out is counted as if it did, and goes before the answer comes, unless the guest
/// wants the answer first.
async fn play(
    context: Arc<Context>,
    tape: &Tape,
    lane: u64,
    asked: &str,
    request: http::Request<WasiBody>,
) -> Result<Sent, Error> {
    let damaged = || Error::InternalError(Some("the recording is damaged".to_owned()));
    context
        .emit(transport::line(&request) + headers(request.headers()))
        .map_err(|_| Error::HttpRequestHeaderSectionSize(None))?;
    let (status, fields, frames, error) = match tape.answer(lane, asked) {
        Some(Answer::Response { status, headers, frames, error, ended: _ }) => (status, headers, frames, error),
        Some(Answer::Error(name)) => return Err(named(&name)),
        Some(Answer::None) | None => return Err(Error::InternalError(Some("the recording has no answer".to_owned()))),
    };
    let mut response = http::Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(name, BASE64.decode(value).map_err(|_| damaged())?);
    }
    let frames: Result<VecDeque<_>, _> = frames.iter().map(|frame| BASE64.decode(frame).map(Bytes::from)).collect();
    let body = Playing { frames: frames.map_err(|_| damaged())?, error, context: Arc::clone(&context) };
    let response = response.body(boxed(body)).map_err(|_| damaged())?;
    context.input.fetch_add(headers(response.headers()) as u64, Ordering::AcqRel);
    let mut leaving = Leaving { body: request.into_body(), context };
    let mut drain = Box::pin(async move {
        while let Some(frame) = leaving.frame().await {
            frame?;
        }
        Ok(())
    });
    match tokio::time::timeout(PATIENCE, &mut drain).await {
        Ok(sent) => sent.map(|()| (response, Box::new(async { Ok(()) }) as Going)),
        Err(_) => Ok((response, Box::new(drain))),
    }
}

/// A body from a tape.
struct Playing {
    frames: VecDeque<Bytes>,
    error: Option<String>,
    context: Arc<Context>,
}

impl Body for Playing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(data) = self.frames.pop_front() else {
            return Poll::Ready(self.error.take().map(|name| Err(named(&name))));
        };
        self.context.input.fetch_add(data.len() as u64, Ordering::AcqRel);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}

/// The errors that the transport tells guests apart by.
fn known() -> [Error; 10] {
    [
        Error::ConnectionLimitReached,
        Error::ConnectionReadTimeout,
        Error::ConnectionRefused,
        Error::ConnectionTimeout,
        Error::DestinationIpProhibited,
        Error::DestinationNotFound,
        Error::HttpProtocolError,
        Error::HttpRequestBodySize(None),
        Error::HttpRequestHeaderSectionSize(None),
        Error::TlsCertificateError,
    ]
}

/// How an error is recorded: as the guest is told of it.
fn name(error: &Error) -> String {
    match error {
        Error::Hyper(_) => Error::HttpProtocolError.to_string(),
        Error::Connect(_) => Error::ConnectionRefused.to_string(),
        error => error.to_string(),
    }
}

fn named(name: &str) -> Error {
    let known = known().into_iter().find(|error| error.to_string() == name);
    known.unwrap_or_else(|| Error::InternalError(Some(name.to_owned())))
}
