//! Images are pinned: by a version everywhere, by a digest in prod, and what is not says why.

use std::collections::BTreeSet;

use super::Given;
use super::bundle::Bundle;
use super::tables::Tables;
use crate::Findings;

/// An image as it is written: `NAME[:TAG][@DIGEST]`.
struct Image<'a> {
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

fn parse(image: &str) -> Image<'_> {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    // A colon before the last slash is a registry's port.
    match rest.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((name, tag)) => Image { name, tag: Some(tag), digest },
        None => Image { name: rest, tag: None, digest },
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether the bundle is one whose images need digests.
fn is_prod(bundle: &Bundle) -> bool {
    bundle.workloads().any(|workload| workload.namespace() == "prod")
}

/// Every image, with whose it is: of containers, and what operators are told to run.
fn images(bundle: &Bundle) -> Vec<(String, String)> {
    let containers = bundle.workloads().flat_map(|workload| {
        workload.containers().map(|container| (container.id(), container.image().to_owned())).collect::<Vec<_>>()
    });
    let operated = bundle.objects.iter().filter_map(|object| Some((object.id(), object.operated_image()?.to_owned())));
    containers.chain(operated).collect()
}

pub fn check(given: &Given<'_>) -> Findings {
    let mut findings = Findings::new();
    let strict = is_prod(given.bundle);
    for (id, written) in images(given.bundle) {
        let image = parse(&written);
        match (image.tag, image.digest) {
            (_, Some(digest)) if !is_digest(digest) => {
                findings.push(format!("{id}: {written} has no digest behind its @"))
            }
            (_, Some(_)) => {}
            (None | Some("latest"), None) => findings.push(format!("{id}: {written} is whatever is newest")),
            (Some(_), None) if !strict => {}
            (Some(_), None) if given.tables.unpinned.iter().any(|unpinned| unpinned.image == image.name) => {}
            (Some(_), None) => findings.push(format!("{id}: {written} has no digest, and pins.yaml does not say why")),
        }
    }
    findings
}

/// What `pins.yaml` says of images that are not there, or are pinned after all.
pub fn unused(bundles: &[Bundle], tables: &Tables) -> Findings {
    let prod = bundles.iter().filter(|bundle| is_prod(bundle));
    let all: BTreeSet<String> = prod.flat_map(images).map(|(_, image)| image).collect();
    let parsed: Vec<Image<'_>> = all.iter().map(|image| parse(image)).collect();
    let mut findings = Findings::new();
    for unpinned in &tables.unpinned {
        if !parsed.iter().any(|image| image.name == unpinned.image && image.digest.is_none()) {
            findings.push(format!("pins.yaml: {} needs no excuse ({})", unpinned.image, unpinned.why));
        }
    }
    let version = |image: &Image<'_>| format!("{}:{}", image.name, image.tag.unwrap_or_default());
    let pinned: BTreeSet<String> = parsed.iter().filter(|image| image.digest.is_some()).map(version).collect();
    let told: BTreeSet<String> = tables.digests.iter().map(|digest| digest.image.clone()).collect();
    findings.extend(
        pinned.difference(&told).map(|image| format!("pins.yaml does not say where the digest of {image} is from")),
    );
    findings.extend(
        tables.digests.iter().filter(|d| !pinned.contains(&d.image)).map(|digest| {
            format!("pins.yaml: no image is {}, whose digest was seen in {}", digest.image, digest.seen_in)
        }),
    );
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_as_registries_do() {
        let image = parse("host:5000/team/app:1.2@sha256:ab");
        assert_eq!((image.name, image.tag, image.digest), ("host:5000/team/app", Some("1.2"), Some("sha256:ab")));
        let image = parse("host:5000/app");
        assert_eq!((image.name, image.tag, image.digest), ("host:5000/app", None, None));
        assert!(!is_digest("sha256:ab") && is_digest(&format!("sha256:{}", "a".repeat(64))));
    }
}
