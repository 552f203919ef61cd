//! What is written, by whom it is read.

use super::*;

/// A writer whose text can be looked at from outside.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn snapshot(elapsed_ms: u64) -> Snapshot {
    Snapshot {
        warming_up: elapsed_ms < 2_000,
        elapsed: Duration::from_millis(elapsed_ms),
        planned: Duration::from_secs(32),
        sent: 101,
        answered: 100,
        failed: 1,
        dropped: 2,
        in_flight: 3,
        p50_ms: 1.25,
        p99_ms: 20.0,
    }
}

#[test]
fn without_a_terminal_a_line_comes_every_few_seconds() {
    let shared = Shared::default();
    let mut progress = Progress::lines(Box::new(shared.clone()));
    for elapsed_ms in (0..11_000).step_by(250) {
        progress.observe(&snapshot(elapsed_ms));
    }
    progress.clear();
    assert_eq!(
        shared.text(),
        "0s/32s warming up, 3 customers under way\n\
         5s/32s 100 answered, 1 failed, 2 dropped, 3 customers under way, p50 1.2 ms, p99 20.0 ms\n\
         10s/32s 100 answered, 1 failed, 2 dropped, 3 customers under way, p50 1.2 ms, p99 20.0 ms\n"
    );
}

#[test]
fn a_bar_is_drawn_in_place_and_leaves_nothing_behind() {
    let shared = Shared::default();
    let mut progress = Progress::bar(Box::new(shared.clone()), 120);
    progress.observe(&snapshot(16_000));
    progress.clear();
    let text = shared.text();
    assert!(text.contains("===") && text.contains("16s/32s 100 answered"), "{text:?}");
    assert!(text.ends_with("\x1b[2K"), "{text:?}");
}

#[test]
fn a_gone_reader_stops_nothing() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let mut progress = Progress::lines(Box::new(Gone));
    progress.observe(&snapshot(5_000));
    let mut progress = Progress::bar(Box::new(Gone), 80);
    progress.observe(&snapshot(5_000));
    progress.clear();
}

#[test]
fn the_table_tells_all_that_matters() {
    let mut text = Vec::new();
    write_table(&crate::report::tests::example(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    for part in [
        "http://orders.test/api for 30.0 s: 50 requests/s intended, 3.3/s achieved",
        "customers: 42 intended, 40 started, 3 late, 2 dropped, 0 unfinished; seed 18446744073709551615",
        "create             100      3.3       2    100.03    180.09    198.01    200.06    200.06",
        "pay                  0      0.0       0         -",
        "2 x unexpected_status_500; the first: create, expected 201, got 500 (trace 4bf92f3577b34da6a3ce929d0e0e4736)",
        "met       p99<300ms",
        "VIOLATED  create.p50<=1ms",
        "VIOLATED  pay.p99<1s               measured no number (1 of 1 requests never came back",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
}
