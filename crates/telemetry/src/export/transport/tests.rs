//! Which endpoints are accepted, and that nothing from outside breaks anything.

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;

fn endpoint(url: &str, protocol: Protocol) -> Endpoint {
    let timeout = Duration::from_secs(1);
    Endpoint { url: url.into(), protocol, headers: Vec::new(), gzip: false, timeout, certificate: None }
}

fn fault(endpoint: &Endpoint) -> String {
    Transport::new(endpoint, Kind::Spans).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_wrong_url_is_told_with_an_example_and_without_secrets() {
    for url in ["", "localhost:4317", "ftp://host", "http://", "http://me:pass@host/v1/traces", "http:// host"] {
        for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
            let fault = fault(&endpoint(url, protocol));
            assert!(fault.contains("an example of right: http://localhost:431"), "{url}: {fault}");
            assert!(!fault.contains("pass"), "{fault}");
        }
    }
    assert!(fault(&endpoint("http://host/v1/traces", Protocol::Grpc)).contains("path"));
    assert_eq!(fault(&endpoint("http://host/", Protocol::Grpc)), "");
    assert_eq!(fault(&endpoint("http://[::1]:4318/v1/traces", Protocol::HttpProtobuf)), "");
}

#[test]
fn a_header_that_cannot_be_sent_is_told_by_name_only() {
    for (name, value) in [("x-key", "s3cret\n"), ("x key", "s3cret"), ("x-bin", "s3cret")] {
        let headers = vec![(name.to_owned(), SecretString::from(value))];
        let fault = fault(&Endpoint { headers, ..endpoint("http://host", Protocol::Grpc) });
        assert!(fault.contains(name) && !fault.contains("s3cret"), "{fault}");
    }
}

#[test]
fn a_certificate_has_to_be_one() {
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let certificate = Some(pem.as_bytes().to_vec());
            let fault = fault(&Endpoint { certificate, ..endpoint("https://host", protocol) });
            assert!(fault.contains("certificate"), "{fault}");
        }
    }
}

proptest! {
    #[test]
    fn any_answer_is_read(bytes: Vec<u8>) {
        let is_taken = matches!(status::taken(&bytes), Answer::Taken { .. });
        prop_assert!(is_taken);
        prop_assert!(status::told(&bytes).chars().count() <= WORDS_MAX);
        let _ = status::retry_info(&bytes);
    }
}
