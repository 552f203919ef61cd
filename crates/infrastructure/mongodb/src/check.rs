//! Looks at an engine without changing anything: for somebody who wants to know why a start would fail.

use delivery::repository::Error;
use mongodb::bson::doc;

use crate::connection::Limit;
use crate::failure::Failure;
use crate::{Config, OrderReadModel};

/// Why the read model cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("it does not do what is asked")]
pub struct CheckError(#[from] Error);

/// What there is, in a line.
///
/// # Errors
/// When a start would not get any further.
pub async fn check(config: Config) -> Result<String, CheckError> {
    let model = OrderReadModel::open(config);
    Ok(told(&model).await.map_err(|failure| failure.while_("being looked at"))?)
}

async fn told(model: &OrderReadModel) -> Result<String, Failure> {
    let database = model.connection.database().await?;
    let hello = model.connection.within(Limit::PROBE, database.run_command(doc! {"hello": 1})).await?;
    let kind = match hello.get_str("setName") {
        Ok(name) => format!("replica set {name}"),
        Err(_) => "a single server, which keeps no second copy".to_owned(),
    };
    let config = model.connection.config();
    let found = match model.found_state(Limit::PROBE).await? {
        Some(state) => format!("{} is at generation {}", config.name, state.live()?.generation.0),
        None => format!("{} does not exist yet and will be created", config.name),
    };
    Ok(format!("{} answers, {kind}, database {}; {found}", config.uri, database.name()))
}
