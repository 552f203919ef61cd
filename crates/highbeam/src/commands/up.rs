//! `highbeam up`: everything in one process, for a laptop.

use super::{Error, say, source};
use crate::alerting::BUILT_IN;
use crate::cli::Up;
use crate::customers::Customers;
use crate::observability::Observability;
use crate::ready::{ConsoleAddresses, base_url};
use crate::roles::{Part, Role};
use crate::settings::{Settings, Source};
use crate::{console, process, shutdown};

/// Runs everything and prints where it is.
pub async fn run(arguments: &Up) -> Result<(), Error> {
    let mut source = source(&arguments.settings)?;
    // What is looked at here is the order service, whose rules the program has.
    source.preferences.insert("RULE_FILES".to_owned(), BUILT_IN.to_owned());
    let mut settings = Settings::read(&source)?;
    let opened = if arguments.no_console { None } else { Some(console::open(&settings, true)?) };
    if let Some(opened) = &opened {
        send_to(opened.addresses(), &settings, &mut source);
        settings = Settings::read(&source)?;
    }
    // Nobody has a node exporter on a laptop. Its metrics are Linux' own.
    settings.host_metrics.get_or_insert(cfg!(target_os = "linux"));
    let mut parts = Role::All.parts();
    parts.extend([Part::Console, Part::Customers]);
    let observability = Observability::start(&settings, parts, opened.as_ref().map(console::Opened::counts))?;
    let mut console = opened.map(|opened| opened.start(&settings.console, &observability, true)).transpose()?;
    let done = serve(arguments, settings, &observability, console.as_mut()).await;
    // However it ended: why is in what waits to be sent.
    observability.finish().await;
    // Last of all, for the others have told it things until now.
    match console {
        Some(console) => done.and(console.finish().await),
        None => done,
    }
}

async fn serve(
    arguments: &Up,
    settings: Settings,
    observability: &Observability,
    console: Option<&mut console::Running>,
) -> Result<(), Error> {
    let (has_metrics, of_console) = (settings.observability.has_metrics, settings.console.clone());
    let base_path = settings.base_path.clone();
    let addresses = console.as_ref().map(|console| console.addresses());
    let stop = shutdown::requested()?;
    let mut running = process::start(settings, Role::All, observability, stop.clone()).await?;
    let url = running.url();
    if let Some(console) = console {
        let own = if has_metrics { console::Own::Url(format!("{url}/metrics")) } else { console::Own::Nowhere };
        console.scrape(Part::Api, own, &of_console)?;
    }
    running.tell_ready(arguments.ready.path.as_deref(), addresses).await?;
    tell(&url, &base_path, addresses)?;
    if arguments.no_traffic {
        say("no demo traffic; Ctrl-C stops")?;
    } else {
        say("demo traffic is running (--no-traffic leaves it out); Ctrl-C stops")?;
        let customers = Customers::new(observability.tracer(Part::Customers));
        running.send_demo_traffic(arguments.traffic_rate, customers, stop)?;
    }
    running.finish().await
}

/// Says where everything is.
fn tell(url: &str, base_path: &str, addresses: Option<ConsoleAddresses>) -> Result<(), Error> {
    say("highbeam is up")?;
    if let Some(addresses) = addresses {
        let [console, grpc, http] = [addresses.console, addresses.otlp_grpc, addresses.otlp_http].map(base_url);
        say(&format!("  console     {console}/  (takes OTLP at {grpc} over gRPC, {http} over HTTP)"))?;
    }
    Ok(say(&format!(
        "  Swagger UI  {url}/swagger/index.html\n  \
         orders      {url}{base_path}/orders\n  \
         search      {url}{base_path}/orders/search?search=\n  \
         metrics     {url}/metrics\n  \
         readiness   {url}/readyz\n  \
         projections {url}/admin/projections"
    ))?)
}

/// What goes to no collector goes to the console in this process.
fn send_to(console: ConsoleAddresses, settings: &Settings, source: &mut Source) {
    let url = base_url(console.otlp_http);
    let mut prefer = |signal: &str, path: &str| {
        let name = |what: &str| format!("OTEL_EXPORTER_OTLP_{signal}_{what}");
        source.preferences.insert(name("ENDPOINT"), format!("{url}/v1/{path}"));
        source.preferences.insert(name("PROTOCOL"), "http/protobuf".to_owned());
    };
    if settings.observability.spans.is_none() {
        prefer("TRACES", "traces");
    }
    if settings.observability.logs.is_none() {
        prefer("LOGS", "logs");
    }
}
