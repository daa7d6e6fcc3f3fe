//! A socket as ureq wants it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
    /// As the operating system was told last: telling it again costs a call.
    reading: Option<Duration>,
    writing: Option<Duration>,
}

impl Socket {
    pub(super) const fn new(stream: TcpStream, buffers: LazyBuffers) -> Self {
        Self { stream, buffers, reading: None, writing: None }
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let most = left(timeout)?;
        if self.writing != most {
            self.stream.set_write_timeout(most)?;
            self.writing = most;
        }
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output).map_err(|cause| named(cause, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let most = left(timeout)?;
        if self.reading != most {
            self.stream.set_read_timeout(most)?;
            self.reading = most;
        }
        let input = self.buffers.input_append_buf();
        let read = loop {
            match self.stream.read(input) {
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                other => break other.map_err(|cause| named(cause, timeout))?,
            }
        };
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// Whether it is idle: neither closed by the other side nor holding bytes that nobody asked for.
    fn is_open(&mut self) -> bool {
        let idle = self.stream.set_nonblocking(true).is_ok()
            && matches!(self.stream.peek(&mut [0]), Err(cause) if cause.kind() == ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && idle
    }
}

/// What is left; an operating system takes no timeout of zero.
fn left(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    if timeout.after.is_not_happening() {
        return Ok(None);
    }
    if timeout.after.is_zero() { Err(Error::Timeout(timeout.reason)) } else { Ok(Some(*timeout.after)) }
}

fn named(cause: io::Error, timeout: NextTimeout) -> Error {
    match cause.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Error::Timeout(timeout.reason),
        _ => cause.into(),
    }
}
