//! The texts a customer gives: e-mail, address, reason. Personal data: never logged.

use std::fmt;

use super::Violations;

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $pointer:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Checks the text; the violation points at the field of the request.
            pub fn new(text: String) -> Result<Self, Violations> {
                let check: fn(&str) -> Result<(), String> = $check;
                match check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(detail) => Err(Violations::one($pointer, detail)),
                }
            }

            /// The text as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            /// Personal data stays out of logs and panics.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

checked_text!(
    /// An e-mail address as the WHATWG HTML standard defines a valid one, with a dot in its domain.
    AccountEmail, "/accountEmail", check_email
);
checked_text!(
    /// Where to deliver: free text, not blank, at most 1,000 characters.
    DeliveryAddress, "/deliveryAddress", |text| check_free_text(text, 1_000)
);
checked_text!(
    /// Why an order was cancelled: free text, not blank, at most 2,000 characters.
    CancelReason, "/cancelReason", |text| check_free_text(text, 2_000)
);

fn check_free_text(text: &str, max: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.chars().count() > max {
        return Err(format!("must have at most {max} characters"));
    }
    Ok(())
}

fn check_email(text: &str) -> Result<(), String> {
    let wrong = || Err("must be an e-mail address such as name@example.com".to_owned());
    // RFC 5321, section 4.5.3.1: 64 octets before the at sign, 254 in all.
    let Some((local, domain)) = text.rsplit_once('@') else {
        return wrong();
    };
    let local_ok = (1..=64).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() > 254 || !local_ok || !domain.contains('.') || !domain.split('.').all(label_ok) {
        return wrong();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses() {
        for good in ["a@b.co", "first.last+tag@sub.example.com", "o'hara@example.org"] {
            assert!(AccountEmail::new(good.into()).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in
            ["", "a", "@b.co", "a@", "a@b", "a b@c.de", "a@b..co", "a@-b.co", "a@b.co ", "a@b@c.de", "ä@b.co", &long]
        {
            assert!(AccountEmail::new(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn free_text_is_neither_blank_nor_endless() {
        assert!(DeliveryAddress::new("Main Street 1".into()).is_ok());
        assert!(DeliveryAddress::new(" \t".into()).is_err());
        assert!(DeliveryAddress::new("ä".repeat(1_000)).is_ok());
        assert!(CancelReason::new("x".repeat(2_001)).is_err());
    }

    #[test]
    fn debug_output_keeps_personal_data_to_itself() {
        let email = AccountEmail::new("jane@example.com".into()).unwrap();
        assert!(!format!("{email:?}").contains("jane"));
    }
}
