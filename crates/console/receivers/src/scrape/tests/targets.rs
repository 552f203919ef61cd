//! Which targets a configuration or a file names, and what is got from one over HTTP.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::scrape::discovery;
use crate::scrape::fetch::{Answer, client, fetch};
use crate::scrape::target::over_http;
use crate::scrape::{Endpoint, Job, Source};

fn job() -> Job {
    Job::new("node", Source::Static(Vec::new()))
}

fn endpoint(url: &str, labels: &[(&str, &str)]) -> Endpoint {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Endpoint { url: url.to_owned(), labels: labels.collect() }
}

#[test]
fn a_target_is_named_by_its_url_or_by_host_and_port() {
    let url = |text: &str, labels: &[(&str, &str)]| over_http(&job(), &endpoint(text, labels)).unwrap().url.clone();
    assert_eq!(url("localhost:9100", &[]), "http://localhost:9100/metrics");
    assert_eq!(url("http://localhost:9100", &[]), "http://localhost:9100/metrics");
    assert_eq!(url(" http://h/ ", &[]), "http://h/");
    assert_eq!(
        url("http://h/federate?a=b", &[("__param_match[]", "{a=\"b\"}")]),
        "http://h/federate?a=b&match%5B%5D=%7Ba%3D%22b%22%7D"
    );
    assert_eq!(url("[::1]:9100", &[("__metrics_path__", "/probe")]), "http://[::1]:9100/probe");
}

#[test]
fn labels_are_those_of_the_job_and_its_own() {
    let target = over_http(&job(), &endpoint("h:1", &[("env", "dev"), ("__meta_filepath", "x")])).unwrap();
    assert_eq!(target.labels.to_string(), r#"{env="dev", instance="h:1", job="node"}"#);
    assert_eq!(target.discovered.get("__address__"), Some("h:1"));
    assert_eq!(target.discovered.get("__meta_filepath"), Some("x"));
    assert_eq!(target.discovered.get("__scrape_interval__"), Some("5000ms"));
    let target = over_http(&job(), &endpoint("h:1", &[("job", "own"), ("instance", "me")])).unwrap();
    assert_eq!(target.labels.to_string(), r#"{instance="me", job="own"}"#);
}

#[test]
fn what_is_no_target_is_told_why() {
    let fault = |text: &str| over_http(&job(), &endpoint(text, &[])).unwrap_err();
    assert_eq!(
        fault("https://h/metrics"),
        "the target \"https://h/metrics\" of the job \"node\" is to be reached over https, which is not spoken here: it \
         has to be http, as in http://localhost:9100/metrics"
    );
    for text in ["", "ftp://h", "http://", "http://user:secret@h", "h:x", "a b"] {
        assert!(fault(text).ends_with("as in http://localhost:9100/metrics"), "{text}");
    }
}

#[test]
fn a_file_lists_targets_as_json_or_by_line() {
    let parse = |text: &str| discovery::parse(Path::new("t"), text);
    let json = r#"[{"targets":["a:1","b:2"],"labels":{"env":"dev"}},{"targets":["c:3"]}]"#;
    let found = parse(json).unwrap();
    assert_eq!(found[1], endpoint("b:2", &[("env", "dev"), ("__meta_filepath", "t")]));
    assert_eq!(found[2], endpoint("c:3", &[("__meta_filepath", "t")]));
    let found = parse("# a comment\n\n http://a:1/metrics \nb:2\n").unwrap();
    assert_eq!(found.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(), ["http://a:1/metrics", "b:2"]);
    assert!(parse("[{\"targets\":\"a\"}]").unwrap_err().contains("is not as in [{\"targets\""));
    assert!(discovery::text(Path::new("targets.yml")).unwrap_err().contains("is YAML"));
    assert!(discovery::text(Path::new("/nowhere/t")).unwrap_err().contains("cannot be read"));
}

#[test]
fn targets_are_spread_over_the_interval() {
    let phases: Vec<_> =
        (0..100).map(|port| over_http(&job(), &endpoint(&format!("h:{port}"), &[])).unwrap().phase_ns()).collect();
    let tenths: std::collections::BTreeSet<_> = phases.iter().map(|phase| phase / 500_000_000).collect();
    assert!(phases.iter().all(|phase| *phase < 5_000_000_000));
    assert_eq!(tenths.len(), 10);
}

/// Answers one request with these bytes, and gives the head of the request.
async fn serve(response: Vec<u8>) -> (hyper::Uri, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/metrics", listener.local_addr().unwrap()).parse().unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(&response).await.unwrap();
        String::from_utf8(head).unwrap()
    });
    (uri, served)
}

fn response(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: BTreeMap<_, _> = headers.iter().copied().collect();
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

async fn get(response: Vec<u8>, bytes_max: usize) -> Result<Answer, String> {
    let (uri, served) = serve(response).await;
    let answer = fetch(&client(), &uri, Duration::from_secs(10), bytes_max).await;
    let head = served.await.unwrap().to_lowercase();
    assert!(head.contains("accept: application/openmetrics-text;version=1.0.0"), "{head}");
    assert!(head.contains("x-prometheus-scrape-timeout-seconds: 10"), "{head}");
    answer
}

#[tokio::test]
async fn a_text_comes_over_http_packed_or_not() {
    let answer = get(response(&[("Content-Type", "text/plain; version=0.0.4")], b"a 1\n"), 100).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.content_type.as_deref()), ("a 1\n", Some("text/plain; version=0.0.4")));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&[b'a'; 1_000]).unwrap();
    let packed = response(&[("Content-Encoding", "gzip")], &packer.finish().unwrap());
    assert_eq!(get(packed.clone(), 1_000).await.unwrap().text.len(), 1_000);
    assert_eq!(get(packed, 999).await.unwrap_err(), "body size limit exceeded: the response has more than 999 bytes");
}

#[tokio::test]
async fn what_is_no_text_is_told_why() {
    let fault = async |response: Vec<u8>| get(response, 10).await.unwrap_err();
    let not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    assert_eq!(fault(not_found).await, "server returned HTTP status 404 Not Found");
    assert_eq!(
        fault(response(&[], &[b'a'; 11])).await,
        "body size limit exceeded: the response has more than 10 bytes"
    );
    assert_eq!(fault(response(&[], b"ab\xff")).await, "the response is not UTF-8 from byte 2 on");
    assert!(fault(response(&[("Content-Encoding", "br")], b"a")).await.contains("encoded as \"br\""));
    assert!(fault(response(&[("Content-Encoding", "gzip")], b"a")).await.contains("is no gzip"));
    let refused = fetch(&client(), &"http://127.0.0.1:1/".parse().unwrap(), Duration::from_secs(1), 1).await;
    assert!(refused.unwrap_err().contains("onnection refused"));
}
