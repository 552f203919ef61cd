//! Writing: fields appended to a buffer. No reading here.

/// Appends fields to a buffer. Nothing is left out: whether a field has its default is the caller's to ask.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Writes to the end of this buffer.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    fn key(&mut self, number: u32, wire_type: u64) {
        put_varint(self.out, u64::from(number) << 3 | wire_type);
    }

    /// `uint64` and all that are written like it.
    pub fn varint(&mut self, number: u32, value: u64) {
        self.key(number, 0);
        put_varint(self.out, value);
    }

    /// `int64` and `int32`, negative ones in ten bytes as protobuf has it.
    pub fn int64(&mut self, number: u32, value: i64) {
        self.varint(number, value.cast_unsigned());
    }

    /// `sint64` and `sint32`.
    pub fn sint64(&mut self, number: u32, value: i64) {
        self.varint(number, (value << 1 ^ value >> 63).cast_unsigned());
    }

    /// `fixed64`
    pub fn fixed64(&mut self, number: u32, value: u64) {
        self.key(number, 1);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// `double`
    pub fn double(&mut self, number: u32, value: f64) {
        self.fixed64(number, value.to_bits());
    }

    /// `fixed32`
    pub fn fixed32(&mut self, number: u32, value: u32) {
        self.key(number, 5);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// `bytes`
    pub fn bytes(&mut self, number: u32, value: &[u8]) {
        self.key(number, 2);
        put_varint(self.out, value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// `string`
    pub fn text(&mut self, number: u32, value: &str) {
        self.bytes(number, value.as_bytes());
    }

    /// A nested message, with what `write` writes.
    pub fn message(&mut self, number: u32, write: impl FnOnce(&mut Writer<'_>)) {
        let mut inner = Vec::new();
        write(&mut Writer::new(&mut inner));
        self.bytes(number, &inner);
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
