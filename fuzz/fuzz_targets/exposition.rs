//! What a target exposes: text in either format.
//!
//! An input is a text. It proves, for both formats:
//!
//! - Any text is read, or refused with a line that it has; after an error there is nothing more.
//! - A sample's series is a piece of the text that reads as the same series again, for it serves as a key.
//! - No sample marks the end of a series, for a text cannot.
//! - The whole is what its entries are: as many samples, in their order.
#![no_main]

use console_model::is_stale;
use console_receivers::exposition::{Entry, Format, Parser, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    for format in [Format::Text, Format::OpenMetrics] {
        check(input, format);
    }
});

fn check(input: &str, format: Format) {
    let mut parser = Parser::new(input, format);
    let mut series = Vec::new();
    let error = loop {
        match parser.next_entry() {
            Ok(Some(Entry::Sample(sample))) => {
                assert!(!is_stale(sample.value));
                series.push((sample.series, sample.kind.name()));
            }
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(parser.next_entry(), Ok(None)));
    if let Some(error) = &error {
        assert!((1..=input.lines().count().max(1)).contains(&error.line), "{error}");
        assert!(error.to_string().len() < 1_000);
    }
    match (read(input, format, 5), error) {
        (Ok(batch), None) => {
            assert_eq!(batch.series.len(), series.len());
            for (found, (series, kind)) in batch.series.iter().zip(series) {
                let text = format!("# TYPE a {kind}\n{series} 1\n");
                let again = read(&text, Format::Text, 5).expect("a series reads again");
                assert_eq!(again.series[0].labels, found.labels);
                assert!(found.labels.get("__name__").is_some());
            }
        }
        (Err(second), Some(first)) => assert_eq!(second, first),
        (whole, parts) => panic!("{whole:?} but {parts:?}"),
    }
}
