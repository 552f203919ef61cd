//! The end of a connection, in the order that lets a client read its last answer. A socket that is
//! closed with bytes unread is reset, and a reset discards what the client has not read yet: a refusal
//! of a body or a head that is too large would be lost to just the client that needs it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long a client may go on sending after our last word.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes of it that are read and thrown away at most.
const DISCARD: usize = 16 * 1024 * 1024;

/// A stream that on shutdown says so, then reads what is still coming, within limits.
pub(super) struct Lingering {
    stream: TcpStream,
    last: Option<LastWord>,
}

struct LastWord {
    patience: Pin<Box<Sleep>>,
    discarded: usize,
}

impl Lingering {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, last: None }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, last } = &mut *self;
        if last.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        let last = last.get_or_insert_with(|| LastWord { patience: Box::pin(sleep(LINGER)), discarded: 0 });
        let mut bytes = [0; 16 * 1024];
        while last.discarded < DISCARD {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => last.discarded += buffer.filled().len(),
                // The client is done, one way or the other.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return last.patience.as_mut().poll(context).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
