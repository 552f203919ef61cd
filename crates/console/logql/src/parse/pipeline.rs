//! Pipelines: the stages behind a selector.

use console_model::Text;

use super::Parser;
use crate::ast::{Conversion, Extraction, LabelFormat, LineFilter, LineOp, LineTest, NameOrMatcher, Stage, Unwrap};
use crate::error::ParseError;
use crate::lex::{Kind, error_at};
use crate::regexp;
use crate::stage::{self, functions};

/// Stages of a pipeline.
const STAGES_MAX: usize = 200;

impl Parser<'_> {
    /// All stages that follow; an unwrap only in metric queries.
    pub(super) fn pipeline(&mut self, may_unwrap: bool) -> Result<Vec<Stage>, ParseError> {
        let mut stages = Vec::new();
        let mut is_unwrapped = false;
        loop {
            let op = match self.peek().text {
                _ if self.peek().kind != Kind::Symbol => return Ok(stages),
                "|=" => LineOp::Contains,
                "!=" => LineOp::ContainsNot,
                "|~" => LineOp::Matches,
                "!~" => LineOp::MatchesNot,
                "|>" => LineOp::Pattern,
                "!>" => LineOp::PatternNot,
                "|" => {
                    self.at += 1;
                    let is_unwrap = self.is_word("unwrap") && !self.compares_next();
                    if is_unwrap && (!may_unwrap || is_unwrapped) {
                        return Err(self.unexpected(&[]));
                    }
                    let stage = self.stage()?;
                    if is_unwrapped && !matches!(stage, Stage::LabelFilter(_)) {
                        return Err(self.error("only label filters are allowed behind unwrap, as in | __error__=\"\""));
                    }
                    is_unwrapped |= is_unwrap;
                    self.push(&mut stages, stage)?;
                    continue;
                }
                _ => return Ok(stages),
            };
            if is_unwrapped {
                return Err(self.unexpected(&[]));
            }
            self.at += 1;
            let stage = Stage::LineFilter(self.line_filter(op)?);
            self.push(&mut stages, stage)?;
        }
    }

    fn push(&self, stages: &mut Vec<Stage>, stage: Stage) -> Result<(), ParseError> {
        if stages.len() >= STAGES_MAX {
            return Err(self.error(format!("more than {STAGES_MAX} stages")));
        }
        stages.push(stage);
        Ok(())
    }

    fn line_filter(&mut self, op: LineOp) -> Result<LineFilter, ParseError> {
        let mut alternatives = vec![self.line_test(op)?];
        while self.is_word("or") && (matches!(self.peek_at(1).kind, Kind::String(_)) || self.peek_at(1).text == "ip") {
            self.at += 1;
            self.chained()?;
            alternatives.push(self.line_test(op)?);
        }
        Ok(LineFilter { op, alternatives })
    }

    fn line_test(&mut self, op: LineOp) -> Result<LineTest, ParseError> {
        if self.is_word("ip") && matches!(op, LineOp::Contains | LineOp::ContainsNot) {
            return self.address().map(LineTest::Ip);
        }
        let before = self.peek().at;
        let text = self.string()?;
        match op {
            LineOp::Matches | LineOp::MatchesNot if regexp::literal(&text).is_none() => {
                self.pattern(before, || regexp::anywhere(&text))?;
            }
            LineOp::Pattern | LineOp::PatternNot => {
                stage::Pattern::filter(&text).map_err(|told| error_at(self.text, before, told))?;
            }
            _ => {}
        }
        Ok(LineTest::Text(text))
    }

    fn stage(&mut self) -> Result<Stage, ParseError> {
        let token = self.peek().clone();
        let word = if token.kind == Kind::Identifier { token.text } else { "" };
        // A line filter may follow these; it looks like a comparison.
        let stands_alone = matches!(word, "json" | "logfmt" | "unpack" | "decolorize");
        if self.compares_next() && !stands_alone {
            return self.label_filter().map(Stage::LabelFilter);
        }
        self.at += 1;
        Ok(match word {
            "json" => {
                let extractions = self.extractions()?;
                for extraction in &extractions {
                    let path = stage::JsonPath::parse(&extraction.expression);
                    path.map_err(|told| error_at(self.text, token.at, told))?;
                }
                Stage::Json(extractions)
            }
            "logfmt" => self.logfmt()?,
            "pattern" => Stage::Pattern(self.checked(|text| stage::Pattern::parser(text).map(drop))?),
            "regexp" => {
                let before = self.peek().at;
                let text = self.string()?;
                self.pattern(before, || stage::named_groups(&text))?;
                Stage::Regexp(text)
            }
            "unpack" => Stage::Unpack,
            "decolorize" => Stage::Decolorize,
            "line_format" => Stage::LineFormat(self.checked(|text| functions::template(text).map(drop))?),
            "label_format" => Stage::LabelFormat(self.label_formats()?),
            "drop" => Stage::Drop(self.names_or_matchers()?),
            "keep" => Stage::Keep(self.names_or_matchers()?),
            "unwrap" => Stage::Unwrap(self.unwrap()?),
            _ => {
                self.at -= 1;
                Stage::LabelFilter(self.label_filter()?)
            }
        })
    }

    /// A text that has to be of a kind.
    fn checked(&mut self, check: impl Fn(&str) -> Result<(), String>) -> Result<Text, ParseError> {
        let before = self.peek().at;
        let text = self.string()?;
        check(&text).map_err(|told| error_at(self.text, before, told))?;
        Ok(text)
    }

    fn extractions(&mut self) -> Result<Vec<Extraction>, ParseError> {
        let mut extractions = Vec::new();
        if self.peek().kind != Kind::Identifier {
            return Ok(extractions);
        }
        loop {
            let label = self.identifier()?;
            let expression = if self.take_symbol("=") { self.string()? } else { label.clone() };
            extractions.push(Extraction { label, expression });
            if !self.take_symbol(",") {
                return Ok(extractions);
            }
        }
    }

    fn logfmt(&mut self) -> Result<Stage, ParseError> {
        let (mut strict, mut keep_empty) = (false, false);
        while self.peek().kind == Kind::Flag {
            match self.peek().text {
                "--strict" => strict = true,
                "--keep-empty" => keep_empty = true,
                other => {
                    let told = format!("unknown parser flag {other}; those of logfmt are --strict and --keep-empty");
                    return Err(self.error(told));
                }
            }
            self.at += 1;
        }
        let extractions = self.extractions()?;
        for extraction in &extractions {
            let expression = &extraction.expression;
            if expression.is_empty() || expression.contains([' ', '=', '"']) {
                return Err(
                    self.error(format!("cannot parse expression [{expression}]: a key is right, as in \"host\""))
                );
            }
        }
        Ok(Stage::Logfmt { strict, keep_empty, extractions })
    }

    fn label_formats(&mut self) -> Result<Vec<(Text, LabelFormat)>, ParseError> {
        let mut formats: Vec<(Text, LabelFormat)> = Vec::new();
        loop {
            let before = self.peek().at;
            let label = self.identifier()?;
            if label == "__error__" {
                return Err(error_at(self.text, before, "__error__ cannot be formatted"));
            }
            if formats.iter().any(|(known, _)| *known == label) {
                let told = format!("multiple label name '{label}' not allowed in a single format operation");
                return Err(error_at(self.text, before, told));
            }
            self.expect("=")?;
            let format = match self.peek().kind {
                Kind::Identifier => LabelFormat::Rename(self.identifier()?),
                Kind::String(_) => LabelFormat::Template(self.checked(|text| functions::template(text).map(drop))?),
                _ => return Err(self.unexpected(&["IDENTIFIER", "STRING"])),
            };
            formats.push((label, format));
            if !self.take_symbol(",") {
                return Ok(formats);
            }
        }
    }

    fn names_or_matchers(&mut self) -> Result<Vec<NameOrMatcher>, ParseError> {
        let mut labels = Vec::new();
        loop {
            if self.compares_next() {
                labels.push(NameOrMatcher::Matcher(self.matcher()?));
            } else {
                labels.push(NameOrMatcher::Name(self.identifier()?));
            }
            if !self.take_symbol(",") {
                return Ok(labels);
            }
        }
    }

    fn unwrap(&mut self) -> Result<Unwrap, ParseError> {
        let word = self.identifier()?;
        if !self.is_symbol("(") {
            return Ok(Unwrap { label: word, conversion: Conversion::None });
        }
        let conversion = match word.as_str() {
            "duration" => Conversion::Duration,
            "duration_seconds" => Conversion::DurationSeconds,
            "bytes" => Conversion::Bytes,
            _ => return Err(self.unexpected(&[])),
        };
        self.expect("(")?;
        let label = self.identifier()?;
        self.expect(")")?;
        Ok(Unwrap { label, conversion })
    }
}
