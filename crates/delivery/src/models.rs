//! The values of the domain. Each can only be built valid, or says which input is not.

pub mod cart;
pub mod contact;
pub mod money;
pub mod order_id;
pub mod payment;
pub mod violation;

pub use cart::{Cart, ItemInput, ShopItem};
pub use contact::{AccountEmail, CancelReason, DeliveryAddress};
pub use money::Money;
pub use order_id::OrderId;
pub use payment::Payment;
pub use violation::{Violation, Violations};
