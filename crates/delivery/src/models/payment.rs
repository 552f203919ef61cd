//! Proof that an order was paid.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Violations;

/// Characters a payment id may have at most.
pub const MAX_ID_LENGTH: usize = 200;

/// A payment, as the payment provider names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The provider's id of the payment.
    #[serde(rename = "paymentID")]
    pub payment_id: String,
    /// When it was paid; unknown in some events of older programs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub timestamp: Option<Timestamp>,
}

impl Payment {
    /// Checks the provider's id.
    pub fn new(payment_id: String, timestamp: Timestamp) -> Result<Self, Violations> {
        let mut violations = Violations::default();
        if payment_id.trim().is_empty() {
            violations.push("/paymentID", "must not be empty");
        }
        if payment_id.chars().count() > MAX_ID_LENGTH {
            violations.push("/paymentID", format!("must have at most {MAX_ID_LENGTH} characters"));
        }
        violations.or(Self { payment_id, timestamp: Some(timestamp) })
    }
}
