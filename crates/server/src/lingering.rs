//! The end of a connection, in the order that lets a client read its last answer. A socket that is
//! closed with bytes unread is reset, and a reset discards what the client has not read yet: a refusal
//! of a body or a head that is too large would be lost to just the client that needs it. And a client that reads
//! nothing is not waited for without end: its connection, and the answer with it, would be held as long as it likes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long a client may go on sending after our last word.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes of it that are read and thrown away at most: the rest of the largest body that is taken anywhere.
const DISCARD: usize = 32 * 1024 * 1024;

/// How long a client may take nothing of what is being sent to it.
const STALL: Duration = Duration::from_secs(60);

/// A stream that on shutdown says so, then reads what is still coming, within limits.
pub(super) struct Lingering {
    stream: TcpStream,
    last: Option<LastWord>,
    /// When a client that takes nothing at the moment is given up.
    stall: Option<Pin<Box<Sleep>>>,
}

struct LastWord {
    patience: Pin<Box<Sleep>>,
    discarded: usize,
}

impl Lingering {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, last: None, stall: None }
    }

    /// What became of writing, or that the client has taken nothing for too long.
    fn written(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(STALL)));
        ready!(stall.as_mut().poll(context));
        let told = format!("the client has read nothing for {STALL:?}");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, told)))
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
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, last, .. } = &mut *self;
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::{advance, pause, resume, timeout};

    use super::*;

    async fn connected() -> (Lingering, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        (Lingering::new(stream), client)
    }

    /// Writes until nothing more is taken.
    async fn fill(stream: &mut Lingering) {
        let bytes = [0; 64 * 1024];
        while let Ok(written) = timeout(Duration::from_millis(100), stream.write_all(&bytes)).await {
            written.unwrap();
        }
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_given_up_and_one_that_reads_slowly_is_not() {
        let (mut stream, mut client) = connected().await;
        let later = async |time: Duration| {
            pause();
            advance(time).await;
            resume();
        };
        fill(&mut stream).await;
        later(STALL - Duration::from_secs(5)).await;
        let mut some = vec![0; 64 * 1024];
        while let Ok(read) = timeout(Duration::from_millis(200), client.read(&mut some)).await {
            assert!(read.unwrap() > 0);
        }
        fill(&mut stream).await;
        later(STALL - Duration::from_secs(5)).await;
        fill(&mut stream).await;
        later(Duration::from_secs(6)).await;
        let stuck = stream.write_all(&[0; 1024]).await.unwrap_err();
        assert_eq!(stuck.kind(), io::ErrorKind::TimedOut, "{stuck}");
    }
}
