//! What can go wrong with a request, as kinds that a report can count.
//!
//! Values only: transport faults are found in [`crate::transport`], the others in [`crate::judge`].

/// A clause of the contract that an answer broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Clause {
    /// `GET` after `POST` answers 200.
    ReadAfterWrite,
    /// A read with `minPosition` shows the write.
    MinPosition,
    /// An answer is about the order that was asked for.
    WrongId,
    /// The total is the sum of price × quantity, to the cent.
    Total,
    /// A retry with the same key replays the first answer.
    Idempotency,
    /// Commands answer with `ETag` and `X-Position`, creation with `Location`.
    Headers,
}

impl Clause {
    const fn name(self) -> &'static str {
        match self {
            Self::ReadAfterWrite => "contract_read_after_write",
            Self::MinPosition => "contract_min_position",
            Self::WrongId => "contract_wrong_id",
            Self::Total => "contract_total_price",
            Self::Idempotency => "contract_idempotency",
            Self::Headers => "contract_headers",
        }
    }
}

/// A kind of error. Few by nature, so that counting them needs no bound of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// No connection could be made.
    Connect,
    /// No whole answer within the client's patience.
    Timeout,
    /// The connection ended before the whole answer.
    ConnectionLost,
    /// The answer was larger than a client takes.
    BodyTooLarge,
    UnexpectedStatus(u16),
    /// The body is not what the contract describes for the status.
    MalformedBody,
    Contract(Clause),
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect => formatter.write_str("connect"),
            Self::Timeout => formatter.write_str("timeout"),
            Self::ConnectionLost => formatter.write_str("connection_lost"),
            Self::BodyTooLarge => formatter.write_str("body_too_large"),
            Self::UnexpectedStatus(status) => write!(formatter, "unexpected_status_{status}"),
            Self::MalformedBody => formatter.write_str("malformed_body"),
            Self::Contract(clause) => formatter.write_str(clause.name()),
        }
    }
}

impl Kind {
    /// Whether a client does well to wait before it comes again.
    pub(crate) const fn calls_for_patience(self) -> bool {
        matches!(self, Self::Connect | Self::Timeout | Self::ConnectionLost | Self::UnexpectedStatus(429 | 503))
    }
}

/// One request's failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// For people; holds no customer's data but that of made-up customers.
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(crate) fn contract(clause: Clause, detail: impl Into<String>) -> Self {
        Self::new(Kind::Contract(clause), detail)
    }
}
