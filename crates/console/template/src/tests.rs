//! Templates as Go carries them out: each case is what `text/template` gives for it.

use proptest::prelude::*;

use crate::{Data, Error, Functions, Limits, Missing, Opaque, Template, Text, Value, go};

fn data() -> Value {
    Value::map([
        ("name", Value::from("ada")),
        ("empty", Value::from("")),
        ("count", Value::Int(3)),
        ("share", Value::Float(0.25)),
        ("yes", Value::Bool(true)),
        ("list", Value::list([Value::from("x"), Value::from("y"), Value::from("z")])),
        ("labels", Value::map([("job", Value::from("api")), ("zone", Value::from("a"))])),
    ])
}

fn functions() -> Functions {
    let mut functions = Functions::go();
    functions.add("upper", 1..=1, |arguments, _| match arguments {
        [Value::Text(text)] => Ok(Value::from(text.to_uppercase())),
        [other, ..] => Err(format!("no text but {}", other.type_name())),
        [] => Ok(Value::Nil),
    });
    functions.add("line", 0..=0, |_, data| data.hidden("line").ok_or_else(|| "no line".to_owned()));
    functions
}

fn run(text: &str) -> Result<String, Error> {
    Template::parse("t", text, &functions())?.run(&data(), &Limits::default())
}

fn written(text: &str) -> String {
    run(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn told(text: &str) -> String {
    run(text).map_or_else(|error| error.message, |out| panic!("{text}: {out}"))
}

#[test]
fn text_fields_and_pipelines_are_written() {
    let cases = [
        ("plain", "plain"),
        ("a {{ .name }} b", "a ada b"),
        ("{{.labels.job}}/{{ .labels.zone }}", "api/a"),
        ("{{ $.name }}{{ (.labels).job }}", "adaapi"),
        ("{{ .name | upper | printf \"%s-%s\" \"x\" }}", "x-ADA"),
        ("{{ printf \"%d of %.2f\" .count .share }}", "3 of 0.25"),
        ("{{ .missing }}", "<no value>"),
        ("{{ .count }} {{ .share }} {{ .yes }} {{ .list }} {{ .labels }}", "3 0.25 true [x y z] map[job:api zone:a]"),
        ("{{ \"q\\n\" }}{{ `r\\n` }}{{ 'a' }}{{ 0x10 }}{{ -1.5e3 }}{{ 1_000 }}", "q\nr\\n9716-15001000"),
        (
            "{{ html \"<a href='x'>\" }} {{ urlquery \"a b&c\" }} {{ js \"it's\" }}",
            "&lt;a href=&#39;x&#39;&gt; a+b%26c it\\'s",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(written(text), expected, "{text}");
    }
    // A space only between two that are both no text.
    assert_eq!(written("{{ print 1 2 \"a\" \"b\" 3 4 }}"), "1 2ab3 4");
    assert_eq!(written("{{ println 1 \"a\" }}"), "1 a\n");
}

#[test]
fn spaces_beside_an_action_are_trimmed_where_it_says_so() {
    assert_eq!(written("a  {{- .name -}}  \n b"), "aadab");
    assert_eq!(written("a {{- /* said to nobody */ -}} b"), "ab");
    assert_eq!(written("a {{/* said to nobody */}} b"), "a  b");
    assert_eq!(written("{{ -3 }}{{- -3 -}} x"), "-3-3x");
    assert_eq!(written("{{if .yes}} y {{- end}} "), " y ");
}

#[test]
fn branches_follow_what_is_empty() {
    assert_eq!(written("{{ if .empty }}a{{ else if .name }}b{{ else }}c{{ end }}"), "b");
    assert_eq!(written("{{ if .none }}a{{ else if .empty }}b{{ else }}c{{ end }}"), "c");
    assert_eq!(written("{{ with .labels }}{{ .job }}{{ $.name }}{{ end }}"), "apiada");
    assert_eq!(written("{{ with .empty }}a{{ else with .name }}{{ . }}{{ else }}c{{ end }}"), "ada");
    assert_eq!(written("{{ if and .name (eq .count 3) }}both{{ end }}{{ if or .empty .none }}one{{ end }}"), "both");
    assert_eq!(written("{{ and .name .empty .none.deeper }}|{{ or .empty .name .none.deeper }}"), "|ada");
    assert_eq!(written("{{ not .empty }}"), "true");
}

#[test]
fn ranges_go_over_lists_maps_and_numbers() {
    assert_eq!(written("{{ range .list }}{{ . }},{{ end }}"), "x,y,z,");
    assert_eq!(written("{{ range $i, $v := .list }}{{ $i }}={{ $v }} {{ end }}"), "0=x 1=y 2=z ");
    assert_eq!(written("{{ range $k, $v := .labels }}{{ $k }}={{ $v }} {{ end }}"), "job=api zone=a ");
    assert_eq!(written("{{ range .none }}a{{ else }}none{{ end }}"), "none");
    assert_eq!(written("{{ range 3 }}{{ . }}{{ end }}"), "012");
    assert_eq!(
        written("{{ range .list }}{{ if eq . \"x\" }}{{ continue }}{{ end }}{{ . }}{{ break }}{{ end }}!"),
        "y!"
    );
    assert_eq!(written("{{ $last := \"\" }}{{ range .list }}{{ $last = . }}{{ end }}{{ $last }}"), "z");
}

#[test]
fn variables_live_as_long_as_their_block() {
    assert_eq!(
        written("{{ $x := .name }}{{ $x }}{{ if $y := .count }}{{ $y }}{{ $x = \"b\" }}{{ end }}{{ $x }}"),
        "ada3b"
    );
    assert!(told("{{ if $y := 1 }}{{ end }}{{ $y }}").ends_with("undefined variable \"$y\""));
    assert!(told("{{ $y = 1 }}").ends_with("undefined variable \"$y\""));
}

#[test]
fn templates_are_defined_and_called() {
    let text = "{{ define \"greet\" }}hi {{ . }}{{ end }}{{ template \"greet\" .name }}, {{ template \"greet\" 3 }}";
    assert_eq!(written(text), "hi ada, hi 3");
    assert_eq!(written("{{ block \"b\" .labels }}{{ .job }}{{ end }}"), "api");
    assert_eq!(
        told("{{ template \"none\" }}"),
        "template: t:1:3: executing \"t\" at <template \"none\" }}>: template \"none\" not defined"
    );
    let endless = "{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}";
    assert!(told(endless).contains("exceeded maximum template depth"));
}

#[test]
fn comparisons_are_of_the_same_kind() {
    assert_eq!(
        written("{{ eq .name \"bob\" \"ada\" }}{{ ne 1 2 }}{{ lt 1.5 2.5 }}{{ ge \"b\" \"a\" }}"),
        "truetruetruetrue"
    );
    assert!(told("{{ eq 1 \"1\" }}").ends_with("error calling eq: incompatible types for comparison"));
    assert!(told("{{ lt 1 2.0 }}").ends_with("error calling lt: incompatible types for comparison"));
    assert!(told("{{ lt .list .list }}").ends_with("invalid type for comparison"));
    assert_eq!(written("{{ eq .none nil }}"), "true");
}

#[test]
fn parts_are_indexed_and_cut() {
    assert_eq!(written("{{ index .list 1 }}{{ index .labels \"job\" }}{{ len .name }}{{ slice .name 1 2 }}"), "yapi3d");
    assert!(told("{{ index .list 9 }}").ends_with("error calling index: index out of range: 9"));
    assert!(told("{{ slice .name 2 9 }}").contains("index out of range: 9"));
}

#[test]
fn errors_have_the_words_of_go() {
    let cases = [
        ("{{ nope }}", "template: t:1: function \"nope\" not defined"),
        ("a\n{{ .name ", "template: t:2: unclosed action"),
        ("{{ if .a }}b", "template: t:1: unexpected EOF"),
        ("{{ end }}", "template: t:1: unexpected {{end}}"),
        ("{{}}", "template: t:1: missing value for command"),
        ("{{ .a | }}", "template: t:1: missing value for command"),
        ("{{ .a ) }}", "template: t:1: unexpected right paren"),
        ("{{ \"a }}", "template: t:1: unterminated quoted string"),
        ("{{ /* a }}", "template: t:1: unclosed comment"),
        ("{{ break }}", "template: t:1: {{break}} outside {{range}}"),
        ("{{ .a | 3 }}", "template: t:1: non executable command in pipeline stage 2: 3"),
        ("{{ 1x }}", "template: t:1: bad number syntax: \"1x\""),
    ];
    for (text, expected) in cases {
        // A comment has to follow its braces at once.
        let text = text.replace("{{ /*", "{{/*");
        assert_eq!(told(&text), expected, "{text}");
    }
    let cases = [
        (
            "a\n {{ .name.first }}",
            "template: t:2:4: executing \"t\" at <.name.first>: can't evaluate field first in type string",
        ),
        (
            "{{ .none.deeper }}",
            "template: t:1:3: executing \"t\" at <.none.deeper>: nil data; no entry for key \"deeper\"",
        ),
        ("{{ upper }}", "template: t:1:3: executing \"t\" at <upper>: wrong number of args for upper: want 1 got 0"),
        ("{{ upper 3 }}", "template: t:1:3: executing \"t\" at <upper>: error calling upper: no text but int"),
        ("{{ .name 3 }}", "template: t:1:3: executing \"t\" at <.name>: name is not a method but has arguments"),
        ("{{ range 1.5 }}{{ end }}", "template: t:1:9: executing \"t\" at <1.5>: range can't iterate over 1.5"),
    ];
    for (text, expected) in cases {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn a_key_that_is_missing_is_said_as_wanted() {
    let template = Template::parse("t", "[{{ .none }}]", &functions()).unwrap();
    let with = |missing| template.run(&data(), &Limits { missing, ..Limits::default() });
    assert_eq!(with(Missing::Empty).unwrap(), "[]");
    assert!(with(Missing::Error).unwrap_err().message.ends_with("map has no entry for key \"none\""));
}

#[test]
fn formats_are_those_of_go() {
    let text = |text: &str| Value::from(text);
    let cases = [
        (
            "%v|%d|%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%q|%U",
            vec![Value::Int(42); 13],
            "42|42|   42|42   |00042|+42|2a|2A|52|101010|*|'*'|U+002A",
        ),
        (
            "%f|%.2f|%8.2f|%-8.2f|%08.2f|%e|%g|%+.1f",
            vec![Value::Float(3.14259); 8],
            "3.142590|3.14|    3.14|3.14    |00003.14|3.142590e+00|3.14259|+3.1",
        ),
        (
            "%s|%q|%10s|%-10s|%.2s|%x|% d|%t",
            vec![
                text("a\"b"),
                text("a\"b"),
                text("abc"),
                text("abc"),
                text("abc"),
                text("hi"),
                Value::Int(7),
                Value::Bool(true),
            ],
            "a\"b|\"a\\\"b\"|       abc|abc       |ab|6869| 7|true",
        ),
        ("%d %s %", vec![text("a"), Value::Int(1)], "%!d(string=a) %!s(int=1) %!(NOVERB)"),
        ("%d %d", vec![Value::Int(1)], "1 %!d(MISSING)"),
        ("%%", vec![Value::Int(1), text("x")], "%%!(EXTRA int=1, string=x)"),
        (
            "%*d|%.*f|%v|%T",
            vec![Value::Int(4), Value::Int(1), Value::Int(1), Value::Float(2.25), Value::Nil, Value::Float(1.0)],
            "   1|2.2|<nil>|float64",
        ),
        (
            "%v %v %v %v",
            vec![Value::Float(1e6), Value::Float(123456789.0), Value::Float(0.00001), Value::Float(100000.0)],
            "1e+06 1.23456789e+08 1e-05 100000",
        ),
        (
            "%v %6.1f %v",
            vec![Value::Float(f64::INFINITY), Value::Float(f64::NAN), Value::Float(-0.5)],
            "+Inf    NaN -0.5",
        ),
        (
            "%.3g %.10g %g",
            vec![Value::Float(1234.5678), Value::Float(1234.5678), Value::Float(1e-7)],
            "1.23e+03 1234.5678 1e-07",
        ),
        (
            "%v %s",
            vec![Value::list([Value::Int(1), Value::Int(2)]), Value::list([text("a"), text("b")])],
            "[1 2] [a b]",
        ),
    ];
    for (format, arguments, expected) in cases {
        let got = go::sprintf(format, &arguments);
        assert_eq!(got, expected, "{format}");
    }
}

#[test]
fn durations_are_read_and_written_as_go_does() {
    let cases = [
        ("1h15m30.918s", 4_530_918_000_000_i64),
        ("1.5ms", 1_500_000),
        ("2µs", 2_000),
        ("7ns", 7),
        ("0s", 0),
        ("-1m0s", -60_000_000_000),
        ("1h0m0s", 3_600_000_000_000),
    ];
    for (text, nanoseconds) in cases {
        assert_eq!(go::parse_duration(text), Ok(nanoseconds), "{text}");
        assert_eq!(go::format_duration(nanoseconds), text);
    }
    assert_eq!(go::parse_duration("3"), Err("time: missing unit in duration \"3\"".to_owned()));
    assert_eq!(go::parse_duration("3d"), Err("time: unknown unit \"d\" in duration \"3d\"".to_owned()));
    assert!(go::parse_duration("99999999999999h").is_err());
    assert!(go::parse_duration(&format!("{}ns0.9h", i128::MAX)).is_err());
}

#[derive(Debug)]
struct Moment;

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("noon")
    }
}

impl Opaque for Moment {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn method(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        match (name, arguments) {
            ("Unix", []) => Some(Ok(Value::Int(12))),
            ("Format", [Value::Text(layout)]) => Some(Ok(Value::from(format!("{layout}!")))),
            _ => None,
        }
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

struct Line;

impl Data for Line {
    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "at" => Some(Value::Opaque(std::sync::Arc::new(Moment))),
            _ => None,
        }
    }

    fn whole(&self) -> Value {
        Value::map([("at", Value::from("all"))])
    }

    fn hidden(&self, name: &str) -> Option<Value> {
        (name == "line").then(|| Value::from("the line"))
    }
}

#[test]
fn data_of_the_callers_is_asked_field_by_field() {
    let run = |text: &str| {
        let template = Template::parse("t", text, &functions()).unwrap();
        template.run(&Line, &Limits::default()).unwrap()
    };
    assert_eq!(
        run("{{ .at }} {{ .at.Unix }} {{ .at.Format \"15:04\" }} {{ line | upper }}"),
        "noon 12 15:04! THE LINE"
    );
    assert_eq!(run("{{ . }}{{ define \"d\" }}{{ .at }}{{ end }}{{ template \"d\" . }}"), "map[at:all]noon");
}

#[test]
fn what_a_template_names_is_known_without_running_it() {
    let template =
        Template::parse("t", "{{ if .a }}{{ .b.c | upper }}{{ end }}{{ (print .d) }}{{ $.a }}", &functions()).unwrap();
    let names: Vec<Text> = template.fields();
    assert_eq!(names, ["a", "b", "d"]);
    let names_whole = |text: &str| Template::parse("t", text, &functions()).unwrap().names_whole();
    assert!(
        !template.names_whole() && names_whole("{{ if .a }}{{ print (print .) }}{{ end }}") && names_whole("{{ $ }}")
    );
}

#[test]
fn nothing_runs_for_ever_or_writes_without_end() {
    assert!(told("{{ range 100000000 }}{{ end }}").contains("more than 200000 steps"));
    assert!(told("{{ range 100000 }}{{ printf \"%100d\" . }}{{ end }}").contains("bytes are written"));
    let deep = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(told(&format!("{{{{ {deep} }}}}")).contains("nested deeper"));
    let deep = "{{ if .name }}".repeat(5_000);
    assert!(told(&deep).contains("nested deeper"));
}

#[test]
fn a_range_that_is_left_takes_no_further_turn() {
    let most = i64::MAX;
    assert_eq!(written(&format!("{{{{ range {most} }}}}{{{{ . }}}}{{{{ break }}}}{{{{ end }}}}")), "0");
}

#[test]
fn texts_that_grow_in_variables_end_before_memory_does() {
    let doubled = "{{ $x := `0123456789` }}{{ range 1000 }}{{ $x = print $x $x }}{{ end }}";
    assert!(told(doubled).contains("bytes of text are read and made"));
    let held = format!("{{{{ $x := printf `%10000d` 1 }}}}{}", "{{ $y := $x }}".repeat(5_000));
    assert!(told(&held).contains("bytes of text are read and made"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\{\\{|\\}\\}|-|if |else|end|range |with |\\.a|\\$x|:=|,|\\||\\(|\\)|\"a\"|`|3|printf |[ é\\n]){0,24}") {
        let _ = run(&text);
    }

    #[test]
    fn any_text_survives_its_quotes(text in "(?s).{0,40}") {
        prop_assert_eq!(go::unquote(&go::quote(&text)), Some(text));
    }

    #[test]
    fn no_format_makes_it_panic(format in "[%a-z0-9.*+# é-]{0,24}", number: i64, float: f64) {
        let _ = go::sprintf(&format, &[Value::Int(number), Value::Float(float), Value::from("é"), Value::Nil]);
    }

    #[test]
    fn any_duration_comes_back(nanoseconds: i64) {
        prop_assert_eq!(go::parse_duration(&go::format_duration(nanoseconds)).unwrap_or(i64::MIN), nanoseconds);
    }
}
