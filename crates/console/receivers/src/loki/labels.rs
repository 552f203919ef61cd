//! Labels as text, as Loki's protobuf has them: `{app="api", env="dev"}`. Which of them are allowed is not
//! asked here.

/// The pairs in the text, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = |rest: &str| {
        let cut = |text: &str| text.get(..text.floor_char_boundary(64)).unwrap_or_default().to_owned();
        format!("error parsing labels {:?} at {:?}, which are as in {{app=\"api\", env=\"dev\"}}", cut(text), cut(rest))
    };
    let mut rest = text.trim_ascii().strip_prefix('{').ok_or_else(|| wrong(text))?.trim_ascii_start();
    let mut pairs = Vec::new();
    loop {
        if let Some(behind) = rest.strip_prefix('}') {
            return if behind.is_empty() { Ok(pairs) } else { Err(wrong(behind)) };
        }
        let (name, behind) = rest.split_once('=').ok_or_else(|| wrong(rest))?;
        let (value, behind) = unquote(behind.trim_ascii_start()).ok_or_else(|| wrong(behind))?;
        // Beyond the limit of labels by far; the limit is told when they are counted.
        if pairs.len() > 256 {
            return Err(wrong(rest));
        }
        pairs.push((name.trim_ascii().to_owned(), value));
        let behind = behind.trim_ascii_start();
        rest = match behind.strip_prefix(',') {
            Some(next) => next.trim_ascii_start(),
            None if behind.starts_with('}') => behind,
            None => return Err(wrong(behind)),
        };
    }
}

/// A text in quotes or backticks as Go writes it, and what is behind it.
fn unquote(text: &str) -> Option<(String, &str)> {
    if let Some(raw) = text.strip_prefix('`') {
        let (value, behind) = raw.split_once('`')?;
        return Some((value.to_owned(), behind));
    }
    let mut rest = text.strip_prefix('"')?;
    // Bytes, for \xff is one byte and several of them may be a character.
    let mut value = Vec::new();
    loop {
        let at = rest.find(['"', '\\', '\n'])?;
        value.extend_from_slice(rest.get(..at)?.as_bytes());
        let behind = rest.get(at + 1..)?;
        match rest.as_bytes().get(at)? {
            b'"' => return Some((String::from_utf8_lossy(&value).into_owned(), behind)),
            b'\\' => rest = escape(behind, &mut value)?,
            _ => return None,
        }
    }
}

/// Adds what an escape stands for, and gives what is behind it.
fn escape<'a>(text: &'a str, value: &mut Vec<u8>) -> Option<&'a str> {
    let number = |range: std::ops::Range<usize>, radix| u32::from_str_radix(text.get(range)?, radix).ok();
    let first = text.chars().next()?;
    let end = match first {
        'x' => {
            value.push(u8::try_from(number(1..3, 16)?).ok()?);
            3
        }
        'u' | 'U' => {
            let end = if first == 'u' { 5 } else { 9 };
            let character = char::from_u32(number(1..end, 16)?)?;
            value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            end
        }
        '0'..='7' => {
            value.push(u8::try_from(number(0..3, 8)?).ok()?);
            3
        }
        other => {
            value.push(single(other)?);
            1
        }
    };
    text.get(end..)
}

const fn single(escape: char) -> Option<u8> {
    Some(match escape {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '"' => b'"',
        '\'' => b'\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_go_writes_them() {
        let pairs = |text| parse(text).unwrap();
        assert_eq!(pairs("{}"), []);
        let expected = [("a".to_owned(), "x, }=\"\n".to_owned()), ("b_1".to_owned(), "é√ÿ\t".to_owned())];
        assert_eq!(pairs(r#" { a = "x, }=\"\n" ,b_1="\u00e9\xe2\x88\x9a\303\277\t", } "#), expected);
        assert_eq!(pairs("{a=`\\n`}"), [("a".to_owned(), "\\n".to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for text in ["", "a", "{", "{a}", "{a=}", "{a=\"b}", "{a=\"b\" c=\"d\"}", "{a=\"\\q\"}", "{a=\"\\xé\"}", "{} x"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        let message = parse("{a=\"b\"; }").unwrap_err();
        assert!(message.ends_with("at \"; }\", which are as in {app=\"api\", env=\"dev\"}"), "{message}");
    }

    proptest::proptest! {
        #[test]
        fn any_value_comes_back(value in "(?s).{0,40}") {
            let text = format!("{{a={}}}", serde_json::to_string(&value).unwrap());
            // JSON writes control characters as \u00XX, which Go reads as well.
            assert_eq!(parse(&text).unwrap(), [("a".to_owned(), value)]);
        }

        #[test]
        fn no_text_makes_it_panic(text in "(?s)\\{?[a={}\"\\\\,xu0-9é`]{0,40}") {
            let _ = parse(&text);
        }
    }
}
