//! Connections to nodes: HTTP/2 over TCP, with TLS unless the connection string says otherwise. A
//! channel connects when it is first used, and again whenever its connection has gone.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::DigitallySignedStruct;
use rustls::SignatureScheme;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::settings::{Address, Settings, Tls};

const USER_AGENT: &str = concat!("highbeam/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How much a server may send before it is told that it was taken in. Catching up is bound by it: the
/// protocol's own 64 KiB are 60 events.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// Why a store cannot be opened. That a server cannot be reached is none of it: it may come.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file that the connection string names cannot be read.
    #[error("{option} of the connection string: {path} cannot be read")]
    File {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file that the connection string names holds something else.
    #[error("{option} of the connection string: {path} must hold {wanted} as PEM, -----BEGIN …-----")]
    Pem {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What it has to hold.
        wanted: &'static str,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Makes channels.
pub(crate) struct Transport {
    tls: Option<Trust>,
    connect_timeout: Duration,
    keep_alive_interval: Option<Duration>,
    keep_alive_timeout: Duration,
}

/// Whom to trust and who to be, read from the files once.
struct Trust {
    /// PEM; `None` for the system's.
    authorities: Option<Vec<u8>>,
    /// Certificate and key, PEM.
    identity: Option<(Vec<u8>, Vec<u8>)>,
    /// Instead of the authorities.
    anyone: Option<Arc<Anyone>>,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, OpenError> {
        let transport = Self {
            tls: settings.tls.as_ref().map(Trust::read).transpose()?,
            connect_timeout: CONNECT_TIMEOUT.min(settings.deadline),
            keep_alive_interval: settings.keep_alive_interval,
            keep_alive_timeout: settings.keep_alive_timeout,
        };
        // What TLS makes of the files shows now rather than at each attempt to connect.
        transport.endpoint(&Address::new("localhost", crate::settings::PORT)).map_err(OpenError::Tls)?;
        Ok(transport)
    }

    /// A channel to a node; the error is one of configuration.
    pub(crate) fn channel(&self, address: &Address) -> Result<Channel, String> {
        Ok(self.endpoint(address)?.connect_lazy())
    }

    fn endpoint(&self, address: &Address) -> Result<Endpoint, String> {
        let told = |error: tonic::transport::Error| crate::failure::chain(&error);
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}", address.authority()))
            .map_err(told)?
            .user_agent(USER_AGENT)
            .map_err(told)?
            // Without it each small append waits for the acknowledgement of the one before: 40 ms.
            .tcp_nodelay(true)
            .tcp_keepalive(Some(TCP_KEEP_ALIVE))
            .connect_timeout(self.connect_timeout)
            .keep_alive_timeout(self.keep_alive_timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        if let Some(interval) = self.keep_alive_interval {
            endpoint = endpoint.http2_keep_alive_interval(interval);
        }
        match &self.tls {
            Some(trust) => trust.apply(endpoint, address).map_err(told),
            None => Ok(endpoint),
        }
    }
}

impl Trust {
    fn read(tls: &Tls) -> Result<Self, OpenError> {
        let certificates = |option, path: &Path| {
            let pem = file(option, path)?;
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
            if found.is_ok_and(|certificates| !certificates.is_empty()) {
                Ok(pem)
            } else {
                Err(OpenError::Pem { option, path: path.to_owned(), wanted: "certificates" })
            }
        };
        let identity = tls.user.as_ref().map(|(certificate, key)| {
            let certificate = certificates("userCertFile", certificate)?;
            let pem = file("userKeyFile", key)?;
            PrivateKeyDer::from_pem_slice(&pem).map(|_| (certificate, pem)).map_err(|_| OpenError::Pem {
                option: "userKeyFile",
                path: key.clone(),
                wanted: "a private key",
            })
        });
        Ok(Self {
            authorities: tls.ca_file.as_deref().map(|path| certificates("tlsCaFile", path)).transpose()?,
            identity: identity.transpose()?,
            anyone: (!tls.verifies).then(|| Arc::new(Anyone::new())),
        })
    }

    fn apply(&self, endpoint: Endpoint, address: &Address) -> Result<Endpoint, tonic::transport::Error> {
        let mut config = ClientTlsConfig::new();
        if let Some(name) = &address.certificate_name {
            config = config.domain_name(name);
        }
        if let Some((certificate, key)) = &self.identity {
            config = config.identity(Identity::from_pem(certificate, key));
        }
        match (&self.anyone, &self.authorities) {
            (Some(anyone), _) => endpoint.tls_config_with_verifier(config, Arc::<Anyone>::clone(anyone)),
            (None, Some(pem)) => endpoint.tls_config(config.ca_certificate(Certificate::from_pem(pem))),
            (None, None) => endpoint.tls_config(config.with_native_roots()),
        }
    }
}

fn file(option: &'static str, path: &Path) -> Result<Vec<u8>, OpenError> {
    std::fs::read(path).map_err(|source| OpenError::File { option, path: path.to_owned(), source })
}

/// Trusts every server, because `tlsVerifyCert=false` asks for it. That what is signed is signed by the
/// key of the certificate is checked all the same.
#[derive(Debug)]
struct Anyone(CryptoProvider);

impl Anyone {
    fn new() -> Self {
        Self(rustls::crypto::ring::default_provider())
    }
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
