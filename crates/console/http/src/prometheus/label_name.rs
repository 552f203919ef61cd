//! Names of labels in a path, where some are escaped. Which labels there are is not known here.

/// Undoes the escape of a name that is not of letters, digits and underscores: `U__service_2e_name` stands for
/// `service.name` (Prometheus' documentation, "UTF-8 guide"). A name that is not escaped, or wrongly, stays.
pub(super) fn unescaped(name: &str) -> String {
    name.strip_prefix("U__").and_then(undo).unwrap_or_else(|| name.to_owned())
}

fn undo(escaped: &str) -> Option<String> {
    let mut name = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('_') {
        let (before, after) = rest.split_at(at);
        name.push_str(before);
        let after = after.strip_prefix('_')?;
        let end = after.find('_')?;
        let (code, after) = after.split_at(end);
        match code {
            // Two underscores are one.
            "" => name.push('_'),
            code if code.len() <= 6 && code.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                name.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            }
            _ => return None,
        }
        rest = after.strip_prefix('_')?;
    }
    name.push_str(rest);
    Some(name)
}

/// Bytes in the form in which Go quotes them, for the error of a name that is no UTF-8.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        out.extend(chunk.valid().chars().flat_map(char::escape_debug));
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escaped_names_are_read_and_others_stay() {
        for (name, expected) in [
            ("U__service_2e_name", "service.name"),
            ("U__a__b", "a_b"),
            ("U___1f600_", "😀"),
            ("U__job", "job"),
            ("job", "job"),
            ("U__a_zz_b", "U__a_zz_b"),
            ("U__a_2e", "U__a_2e"),
            ("U__a_d800_", "U__a_d800_"),
            ("a__b", "a__b"),
        ] {
            assert_eq!(unescaped(name), expected);
        }
        assert_eq!(quoted(b"a\xffb\""), "\"a\\xffb\\\"\"");
    }

    proptest! {
        #[test]
        fn no_name_is_too_odd(name in "U__[_a-f0-9é]{0,20}") {
            let _ = unescaped(&name);
        }
    }
}
