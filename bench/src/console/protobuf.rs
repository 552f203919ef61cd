//! Just enough of protobuf to write requests. The sender shares no code with what it measures: a mistake in
//! the console's own writer would otherwise be made on both sides and never be seen.
//! <https://protobuf.dev/programming-guides/encoding/>

/// Appends fields to a message.
pub struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    pub const fn new(message: &'a mut Vec<u8>) -> Self {
        Self(message)
    }

    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn tag(&mut self, field: u32, wire_type: u64) {
        self.number(u64::from(field) << 3 | wire_type);
    }

    pub fn varint(&mut self, field: u32, value: u64) {
        self.tag(field, 0);
        self.number(value);
    }

    pub fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn fixed32(&mut self, field: u32, value: u32) {
        self.tag(field, 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn double(&mut self, field: u32, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    pub fn bytes(&mut self, field: u32, value: &[u8]) {
        self.tag(field, 2);
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub fn text(&mut self, field: u32, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    /// A message within this one.
    pub fn message(&mut self, field: u32, write: impl FnOnce(&mut Writer<'_>)) {
        let mut message = Vec::new();
        write(&mut Writer(&mut message));
        self.bytes(field, &message);
    }
}
