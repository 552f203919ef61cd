//! A TCP proxy that misbehaves on command, to be put between an adapter and its engine. It knows no
//! protocol: what it does to bytes, any network or dying machine may do.
//!
//! It runs on a thread of its own, so that tests without a runtime can use it as well, and a busy or
//! blocked test does not stall what it did not mean to.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Bytes that are passed on at once.
const CHUNK: usize = 16 << 10;

/// What the proxy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: bytes are passed on as they come.
    None,
    /// Nobody listens; connections that were open are closed. An engine that is not running.
    Refused,
    /// Connections are taken and closed at once, as are those that were open. An engine behind a balancer
    /// that has lost it.
    Cut,
    /// Connections are taken, stay open, and no byte passes any more. A hung engine, or a network that
    /// swallows packets.
    Stalled,
    /// Bytes wait for so long, both ways. An engine, or a network, that is overloaded.
    Slow(Duration),
    /// Connections are taken and reset, as are those that were open.
    Reset,
}

impl Fault {
    /// Connections do not outlive it.
    const fn ends_connections(self) -> bool {
        matches!(self, Self::Refused | Self::Cut | Self::Reset)
    }
}

/// A proxy before one engine. Its address stays the same whatever happens; it ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    fault: watch::Sender<Fault>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Dropped to end it.
    end: Option<oneshot::Sender<()>>,
}

impl Proxy {
    /// Starts on a free port of this machine, before `engine` (`host:port`).
    ///
    /// # Panics
    /// When no port can be had.
    #[must_use]
    pub fn start(engine: &str, fault: Fault) -> Self {
        let (sender, fault) = watch::channel(fault);
        let (end, ended) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let engine = engine.to_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tell.send(address).unwrap();
                tokio::select! {
                    () = serve(listener, address, engine, fault) => {}
                    _ = ended => {}
                }
            });
        });
        let address = told.recv().unwrap();
        Self { address, fault: sender, thread: Some(thread), end: Some(end) }
    }

    /// Where the adapter is to go.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, it does this; to connections that are open, too.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and shows as what the test misses.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, address: SocketAddr, engine: String, mut fault: watch::Receiver<Fault>) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let now = *fault.borrow_and_update();
        if now == Fault::Refused {
            drop(listener.take());
        } else if listener.is_none() {
            listener = Some(listen_again(address).await);
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => pending().await,
            }
        };
        tokio::select! {
            changed = fault.changed() => if changed.is_err() { return },
            accepted = accepted => if let Ok((client, _)) = accepted {
                connections.spawn(connection(client, engine.clone(), fault.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Its port is free as a rule: nobody else was told of it.
async fn listen_again(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// One connection, until either side ends it or a fault does.
async fn connection(client: TcpStream, engine: String, fault: watch::Receiver<Fault>) {
    let mut ends = fault.clone();
    let resets = |stream: &TcpStream| {
        // Closing without waiting for anything is what sends a reset.
        let _ = stream.set_zero_linger();
    };
    let now = *fault.borrow();
    match now {
        Fault::Refused | Fault::Cut => return,
        Fault::Reset => return resets(&client),
        Fault::None | Fault::Stalled | Fault::Slow(_) => {}
    }
    let server = tokio::select! {
        server = TcpStream::connect(engine) => server,
        Ok(fault) = ended(&mut ends) => {
            if fault == Fault::Reset {
                resets(&client);
            }
            return;
        }
    };
    // No engine behind it: as if it were not there.
    let Ok(server) = server else { return };
    for side in [&client, &server] {
        let _ = side.set_nodelay(true);
    }
    let (mut client_reads, mut client_writes) = client.into_split();
    let (mut server_reads, mut server_writes) = server.into_split();
    let fault_of_connection = {
        let there = pump(&mut client_reads, &mut server_writes, fault.clone());
        let back = pump(&mut server_reads, &mut client_writes, fault.clone());
        tokio::select! {
            _ = async { tokio::join!(there, back) } => None,
            fault = ended(&mut ends) => fault.ok(),
        }
    };
    if fault_of_connection == Some(Fault::Reset) {
        for writes in [client_writes, server_writes] {
            resets(writes.as_ref());
            // It would say goodbye before.
            writes.forget();
        }
    }
}

/// The fault that ends connections, once there is one.
async fn ended(fault: &mut watch::Receiver<Fault>) -> Result<Fault, watch::error::RecvError> {
    fault.wait_for(|fault| fault.ends_connections()).await.map(|fault| *fault)
}

/// Passes bytes on in one direction, as the fault of the moment wants it.
async fn pump(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mut fault: watch::Receiver<Fault>) -> io::Result<()> {
    let mut bytes = vec![0; CHUNK];
    loop {
        passing(&mut fault).await;
        let count = from.read(&mut bytes).await?;
        // What arrived while it stalled, or was about to, waits as well.
        let wait = passing(&mut fault).await;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&bytes[..count]).await?;
    }
}

/// Waits until bytes may pass; how long they take.
async fn passing(fault: &mut watch::Receiver<Fault>) -> Duration {
    let now = fault.wait_for(|fault| *fault != Fault::Stalled).await;
    match now.as_deref() {
        Ok(Fault::Slow(wait)) => *wait,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;

    /// An engine that says everything back, until it is told to be gone.
    fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut bytes = [0; 1_024];
                    while let Ok(count) = stream.read(&mut bytes)
                        && count > 0
                        && stream.write_all(&bytes[..count]).is_ok()
                    {}
                });
            }
        });
        address
    }

    fn connect(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    /// What comes back.
    fn said(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        stream.write_all(b"hello")?;
        let mut bytes = vec![0; 64];
        let count = stream.read(&mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    #[test]
    fn it_passes_bytes_and_the_end_of_either_side() {
        let proxy = Proxy::start(&echo(), Fault::None);
        let mut stream = connect(&proxy);
        assert_eq!(said(&mut stream).unwrap(), b"hello");
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }

    #[test]
    fn what_is_cut_ends_and_what_is_reset_breaks_and_both_can_be_had_again() {
        let proxy = Proxy::start(&echo(), Fault::None);
        for (fault, ends) in [(Fault::Cut, None), (Fault::Reset, Some(ErrorKind::ConnectionReset))] {
            proxy.set(Fault::None);
            let mut open = connect(&proxy);
            assert_eq!(said(&mut open).unwrap(), b"hello");
            proxy.set(fault);
            assert_eq!(open.read(&mut [0; 1]).map_err(|error| error.kind()).err(), ends, "{fault:?}");
            let mut new = connect(&proxy);
            assert!(!matches!(said(&mut new), Ok(bytes) if !bytes.is_empty()), "{fault:?}");
        }
        proxy.set(Fault::None);
        assert_eq!(said(&mut connect(&proxy)).unwrap(), b"hello");
    }

    #[test]
    fn nobody_listens_while_it_refuses_and_its_address_stays() {
        let proxy = Proxy::start(&echo(), Fault::Refused);
        let refused = |proxy: &Proxy| {
            TcpStream::connect(proxy.address()).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        };
        let begun = Instant::now();
        while !refused(&proxy) {
            assert!(begun.elapsed() < Duration::from_secs(5));
        }
        proxy.set(Fault::None);
        let begun = Instant::now();
        while refused(&proxy) {
            assert!(begun.elapsed() < Duration::from_secs(5));
        }
        assert_eq!(said(&mut connect(&proxy)).unwrap(), b"hello");
    }

    #[test]
    fn what_was_stalled_arrives_when_it_passes_again() {
        let proxy = Proxy::start(&echo(), Fault::None);
        let mut stream = connect(&proxy);
        assert_eq!(said(&mut stream).unwrap(), b"hello");
        proxy.set(Fault::Stalled);
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!(said(&mut stream).is_err());
        proxy.set(Fault::None);
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut bytes = [0; 5];
        stream.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"hello");
    }

    #[test]
    fn slow_bytes_take_their_time_both_ways() {
        let proxy = Proxy::start(&echo(), Fault::Slow(Duration::from_millis(100)));
        let begun = Instant::now();
        assert_eq!(said(&mut connect(&proxy)).unwrap(), b"hello");
        assert!(begun.elapsed() >= Duration::from_millis(200));
    }
}
