//! One server: a port, and the connections to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::cluster::{HOST, Shared};
use crate::faults::Faults;
use crate::service::Service;

/// A server of a cluster.
pub struct Node {
    shared: Arc<Shared>,
    index: usize,
    port: u16,
    faults: Faults,
    /// Counts how often connections were cut.
    cuts: watch::Sender<u64>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Node {
    pub(crate) fn start(shared: Arc<Shared>, index: usize, port: u16) -> io::Result<Self> {
        let listener = bind(port)?;
        let port = listener.local_addr()?.port();
        let node = Self {
            shared,
            index,
            port,
            faults: Faults::default(),
            cuts: watch::Sender::new(0),
            listener: Mutex::default(),
        };
        node.serve(listener)?;
        Ok(node)
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A connection string for this node alone.
    #[must_use]
    pub fn url(&self) -> String {
        let tls = if self.shared.options.tls.is_some() { "true" } else { "false" };
        format!("kurrentdb://{HOST}:{}?tls={tls}", self.port)
    }

    /// What it does wrong.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Cuts every connection; new ones are taken.
    pub fn cut_connections(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(crate) fn stop(&self) {
        if let Some(task) = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
        self.cut_connections();
    }

    pub(crate) fn listen(&self) -> io::Result<()> {
        self.serve(bind(self.port)?)
    }

    fn serve(&self, listener: StdListener) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let (shared, index, faults) = (Arc::clone(&self.shared), self.index, self.faults.clone());
        let cuts = self.cuts.subscribe();
        let task = tokio::spawn(accept(listener, shared, index, faults, cuts));
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bind(port: u16) -> io::Result<StdListener> {
    let listener = StdListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, index: usize, faults: Faults, cuts: watch::Receiver<u64>) {
    let tls = shared.options.tls.clone().map(TlsAcceptor::from);
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, faults, tls, mut cuts) = (Arc::clone(&shared), faults.clone(), tls.clone(), cuts.clone());
        cuts.mark_unchanged();
        tokio::spawn(async move {
            // Nothing is lost when it fails but that small answers wait.
            let _ = stream.set_nodelay(true);
            let broken = Arc::new(Notify::new());
            let service = Service { shared, index, faults, broken: Arc::clone(&broken) };
            let connection = async {
                match tls {
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, service).await;
                        }
                    }
                    None => serve(stream, service).await,
                }
            };
            tokio::select! {
                () = connection => {}
                () = broken.notified() => {}
                _ = cuts.changed() => {}
            }
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: Service) {
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, std::convert::Infallible>(service.answer(request).await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .serve_connection(TokioIo::new(stream), answer);
    // How a connection ended is the client's to say.
    drop(connection.await);
}
