//! Reading a connection string, from left to right: scheme, credentials, hosts, options. Those who
//! write a `?` or an `@` into a password unescaped get an error about the hosts, which names nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::{Address, Credentials, Error, HOSTS_MAX, NodePreference, PORT, Settings, Tls};

pub(super) const SCHEMES: [&str; 4] = ["esdb", "kurrentdb", "kurrent", "kdb"];
pub(super) const DISCOVER: &str = "+discover";
const OPTIONS: &str = "tls, tlsVerifyCert, tlsCaFile, userCertFile, userKeyFile, connectionName, nodePreference, \
                       maxDiscoverAttempts, discoveryInterval, gossipTimeout, defaultDeadline, keepAliveInterval, \
                       keepAliveTimeout, dnsDiscover, throwOnAppendFailure";
const NAME_LEN_MAX: usize = 32;

fn wrong(what: impl Into<String>) -> Error {
    Error(what.into())
}

pub(super) fn connection_string(text: &str) -> Result<Settings, Error> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("must start with esdb:// or kurrentdb://"))?;
    if !Settings::knows_scheme(scheme) {
        return Err(wrong("must start with esdb:// or kurrentdb://, or these with +discover"));
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place.strip_suffix('/').unwrap_or(place);
    let (credentials, hosts) = match place.rsplit_once('@') {
        Some((credentials, hosts)) => (Some(self::credentials(credentials)?), hosts),
        None => (None, place),
    };
    let mut settings = Settings {
        hosts: self::hosts(hosts)?,
        discovers: scheme.ends_with(DISCOVER),
        credentials,
        tls: Some(Tls { verifies: true, ca_file: None, user: None }),
        node_preference: NodePreference::Leader,
        connection_name: None,
        discover_attempts_max: 10,
        discovery_interval: Duration::from_millis(100),
        gossip_timeout: Duration::from_secs(5),
        deadline: Duration::from_secs(10),
        keep_alive_interval: Some(Duration::from_secs(10)),
        keep_alive_timeout: Duration::from_secs(10),
    };
    Options::default().read(query, &mut settings)?;
    if settings.discovers && settings.hosts.len() > 1 {
        return Err(wrong("takes one host with +discover: the name whose addresses are the cluster's nodes"));
    }
    Ok(settings)
}

fn credentials(text: &str) -> Result<Credentials, Error> {
    let wrong = || wrong("needs a user and a password before the @, both percent-encoded");
    let (user, password) = text.split_once(':').ok_or_else(wrong)?;
    let (user, password) = (decoded(user).ok_or_else(wrong)?, decoded(password).ok_or_else(wrong)?);
    // HTTP's basic authentication ends the user's name at the first colon.
    if user.is_empty() || user.contains(':') {
        return Err(wrong());
    }
    Ok(Credentials { user, password: password.into() })
}

fn hosts(text: &str) -> Result<Vec<Address>, Error> {
    let hosts: Vec<_> = text.split(',').map(host).collect::<Option<_>>().ok_or_else(|| {
        wrong("needs hosts as NAME or NAME:PORT with commas between them, after user and password percent-encoded")
    })?;
    if hosts.len() > HOSTS_MAX {
        return Err(wrong(format!("takes at most {HOSTS_MAX} hosts")));
    }
    Ok(hosts)
}

fn host(text: &str) -> Option<Address> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']')?;
            name.parse::<std::net::Ipv6Addr>().ok()?;
            (name, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_plain) {
        return None;
    }
    let port = port.map_or(Some(PORT), |port| port.parse().ok().filter(|port| *port > 0))?;
    Some(Address::new(name, port))
}

/// What was read, for what depends on more than one option.
#[derive(Default)]
struct Options {
    given: Vec<String>,
    is_plain: bool,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Options {
    fn read(mut self, query: &str, settings: &mut Settings) -> Result<(), Error> {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| wrong("needs options as NAME=VALUE"))?;
            let key = name.to_ascii_lowercase();
            if self.given.contains(&key) {
                return Err(wrong(format!("has the option {} twice", shown(name))));
            }
            let value = decoded(value).ok_or_else(|| wrong(format!("has a bad % in the option {}", shown(name))))?;
            self.option(&key, value, settings)?.ok_or_else(|| {
                wrong(format!("has an option that is not known, {}; those that are: {OPTIONS}", shown(name)))
            })?;
            self.given.push(key);
        }
        match (self.certificate, self.key, settings.tls.as_mut()) {
            (Some(certificate), Some(key), Some(tls)) => tls.user = Some((certificate, key)),
            (None, None, _) => {}
            (Some(_), Some(_), None) => {}
            _ => return Err(wrong("needs both userCertFile and userKeyFile, or neither")),
        }
        if self.is_plain {
            settings.tls = None;
        }
        Ok(())
    }

    /// `None` for one that is not known.
    fn option(&mut self, key: &str, value: String, settings: &mut Settings) -> Result<Option<()>, Error> {
        match key {
            "tls" => self.is_plain = !flag("tls", &value)?,
            "tlsverifycert" => {
                let verifies = flag("tlsVerifyCert", &value)?;
                if let Some(tls) = &mut settings.tls {
                    tls.verifies = verifies;
                }
            }
            "tlscafile" => {
                if let Some(tls) = &mut settings.tls {
                    tls.ca_file = Some(PathBuf::from(value));
                }
            }
            "usercertfile" => self.certificate = Some(PathBuf::from(value)),
            "userkeyfile" => self.key = Some(PathBuf::from(value)),
            "connectionname" => settings.connection_name = Some(connection_name(value)?),
            "nodepreference" => settings.node_preference = node_preference(&value)?,
            "maxdiscoverattempts" => {
                let attempts = number("maxDiscoverAttempts", &value, 1, 1_000, "a number")?;
                settings.discover_attempts_max = u32::try_from(attempts).unwrap_or(u32::MAX);
            }
            "discoveryinterval" => {
                settings.discovery_interval = millis("discoveryInterval", &value, 1, 60_000)?;
            }
            "gossiptimeout" => {
                settings.gossip_timeout =
                    Duration::from_secs(number("gossipTimeout", &value, 1, 60, "a number of seconds")?);
            }
            "defaultdeadline" => settings.deadline = millis("defaultDeadline", &value, 100, 600_000)?,
            "keepaliveinterval" if value == "-1" => settings.keep_alive_interval = None,
            "keepaliveinterval" => {
                settings.keep_alive_interval = Some(millis("keepAliveInterval", &value, 1_000, 3_600_000)?);
            }
            "keepalivetimeout" if value == "-1" => settings.keep_alive_timeout = Duration::from_secs(3_600),
            "keepalivetimeout" => settings.keep_alive_timeout = millis("keepAliveTimeout", &value, 1_000, 3_600_000)?,
            "dnsdiscover" => settings.discovers |= flag("dnsDiscover", &value)?,
            // Conflicts are always told as what they are.
            "throwonappendfailure" => _ = flag("throwOnAppendFailure", &value)?,
            _ => return Ok(None),
        }
        Ok(Some(()))
    }
}

/// The name of an option, if it looks like one.
fn shown(name: &str) -> &str {
    let is_name = name.len() <= NAME_LEN_MAX && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_name { name } else { "(not shown)" }
}

fn flag(name: &str, value: &str) -> Result<bool, Error> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(format!("needs true or false for {name}"))),
    }
}

fn number(name: &str, value: &str, least: u64, most: u64, what: &str) -> Result<u64, Error> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| wrong(format!("needs {what} from {least} to {most} for {name}")))
}

fn millis(name: &str, value: &str, least: u64, most: u64) -> Result<Duration, Error> {
    number(name, value, least, most, "a number of milliseconds").map(Duration::from_millis)
}

/// It becomes a header.
fn connection_name(value: String) -> Result<String, Error> {
    let fits = (1..=128).contains(&value.len()) && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if fits { Ok(value) } else { Err(wrong("needs 1 to 128 plain characters for connectionName")) }
}

fn node_preference(value: &str) -> Result<NodePreference, Error> {
    Ok(match value.to_ascii_lowercase().as_str() {
        "leader" => NodePreference::Leader,
        "follower" => NodePreference::Follower,
        "readonlyreplica" => NodePreference::ReadOnlyReplica,
        "random" => NodePreference::Random,
        _ => return Err(wrong("needs leader, follower, readOnlyReplica or random for nodePreference")),
    })
}

/// Percent-decoded.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(high * 16 + low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
