//! Pipelines as they run: each stage takes a line, may change it or its labels, and says whether it stays.

mod address;
mod decolorize;
pub(crate) mod functions;
mod json;
mod label_filter;
mod labels;
mod line_filter;
mod logfmt;
mod pattern;

use console_model::Text;
use console_template::{Limits, Missing, Template, go};
use regex::Regex;

use crate::ast;
use crate::entry::{Buffers, Entry, LineLabels, LineText, Needed};
use crate::source::Line;
use crate::value::{parse_bytes, parse_number};
use crate::{ast::LogExpr, regexp};

pub(crate) use address::AddressRange;
pub(crate) use json::JsonPath;
pub(crate) use pattern::Pattern;

use functions::LineData;
use label_filter::LabelFilter;
use labels::LabelTest;
pub(crate) use labels::TextTest;
use line_filter::LineFilter;

pub(crate) const JSON_ERROR: &str = "JSONParserErr";
pub(crate) const LOGFMT_ERROR: &str = "LogfmtParserErr";
pub(crate) const TEMPLATE_ERROR: &str = "TemplateFormatErr";
pub(crate) const LABEL_FILTER_ERROR: &str = "LabelFilterErr";
pub(crate) const SAMPLE_ERROR: &str = "SampleExtractionErr";

/// What a template may do for one line.
const TEMPLATE_LIMITS: Limits =
    Limits { output_bytes: 256 * 1024, steps: 10_000, depth: 16, value_bytes: 16 << 20, missing: Missing::Empty };

enum Stage {
    LineFilter(LineFilter),
    Json(Vec<(Text, JsonPath)>),
    Logfmt { strict: bool, keep_empty: bool, extractions: Vec<(Text, Text)> },
    Pattern(Pattern),
    Regexp(Box<Regex>),
    Unpack,
    Decolorize,
    LineFormat(Box<Template>),
    LabelFormat(Vec<(Text, LabelFormat)>),
    Drop(Vec<LabelTest>),
    Keep(Vec<LabelTest>),
    LabelFilter(LabelFilter),
    Unwrap(Text, ast::Conversion),
}

enum LabelFormat {
    Rename(Text),
    Template(Box<Template>),
}

/// A pipeline, ready to run.
pub(crate) struct Pipeline {
    stages: Vec<Stage>,
    /// Texts that lines have to contain for the pipeline to let them through. Its stages leave the test to
    /// whoever gives the lines.
    pub(crate) contains: Vec<Text>,
    /// Labels that stages ask for; nothing where one may ask for any.
    asked: Option<Needed>,
    /// When the query runs, for templates.
    now_ns: u64,
}

impl Pipeline {
    /// The stages of a query.
    pub(crate) fn new(log: &LogExpr, now_ns: u64) -> Result<Self, String> {
        let mut pipeline = Self { stages: Vec::new(), contains: Vec::new(), asked: Some(Needed::default()), now_ns };
        let mut is_original = true;
        for stage in &log.stages {
            if let (ast::Stage::LineFilter(filter), true) = (stage, is_original)
                && let Some(text) = line_filter::required(filter)
            {
                pipeline.contains.push(text);
                continue;
            }
            is_original &= !matches!(stage, ast::Stage::LineFormat(_) | ast::Stage::Unpack | ast::Stage::Decolorize);
            pipeline.ask_for(stage);
            pipeline.stages.push(compile(stage)?);
        }
        Ok(pipeline)
    }

    /// Remembers which labels a stage looks at.
    fn ask_for(&mut self, stage: &ast::Stage) {
        let Some(asked) = &mut self.asked else { return };
        match stage {
            ast::Stage::LabelFilter(filter) => label_filter::names(filter, asked),
            ast::Stage::LineFormat(template) => ask_template(&mut self.asked, template),
            ast::Stage::LabelFormat(formats) => {
                for (_, format) in formats {
                    match format {
                        ast::LabelFormat::Rename(source) => {
                            if let Some(asked) = &mut self.asked {
                                asked.insert(source);
                            }
                        }
                        ast::LabelFormat::Template(template) => ask_template(&mut self.asked, template),
                    }
                }
            }
            ast::Stage::Unwrap(unwrap) => {
                asked.insert(&unwrap.label);
            }
            ast::Stage::Drop(labels) | ast::Stage::Keep(labels) => {
                for label in labels {
                    if let ast::NameOrMatcher::Matcher(matcher) = label {
                        asked.insert(&matcher.name);
                    }
                }
            }
            _ => {}
        }
    }

    /// Lines after which it is to be asked whether to go on: a template may take a while for each.
    pub(crate) fn stop_every(&self) -> u64 {
        let is_slow = |stage: &Stage| matches!(stage, Stage::LineFormat(_) | Stage::LabelFormat(_));
        if self.stages.iter().any(is_slow) { 8 } else { 1_024 }
    }

    /// The labels that have to be taken out of lines so that the stages work and these are known in the end.
    pub(crate) fn needed<'a>(&self, wanted: impl IntoIterator<Item = &'a Text>) -> Option<Needed> {
        let mut needed = self.asked.clone()?;
        wanted.into_iter().for_each(|name| needed.insert(name));
        Some(needed)
    }

    /// Whether each line that contains what it has to stays as it is.
    pub(crate) fn lets_all_through(&self) -> bool {
        self.stages.is_empty()
    }

    /// Runs all stages on a line. Gives nothing if it is left out.
    pub(crate) fn run<'a>(
        &self,
        line: &'a dyn Line,
        buffers: &'a mut Buffers,
        needed: Option<&'a Needed>,
    ) -> Option<Entry<'a>> {
        let labels = LineLabels::new(line, buffers, needed);
        let mut entry = Entry { line: LineText::new(line), labels, value: 0.0 };
        self.stages.iter().all(|stage| self.apply(stage, &mut entry)).then_some(entry)
    }

    fn apply(&self, stage: &Stage, entry: &mut Entry<'_>) -> bool {
        match stage {
            Stage::LineFilter(filter) => return filter.keeps(&entry.line),
            Stage::LabelFilter(filter) => return filter.keeps(&mut entry.labels),
            Stage::Json(paths) => json::extract(&entry.line, paths, &mut entry.labels),
            Stage::Logfmt { strict, keep_empty, extractions } => {
                logfmt::extract(&entry.line, *strict, *keep_empty, extractions, &mut entry.labels);
            }
            Stage::Pattern(pattern) => pattern.extract(&entry.line, &mut entry.labels),
            Stage::Regexp(regex) => {
                if let Some(captures) = regex.captures(&entry.line) {
                    for name in regex.capture_names().flatten() {
                        if let Some(found) = captures.name(name) {
                            entry.labels.extract(name, found.as_str());
                        }
                    }
                }
            }
            Stage::Unpack => {
                if let Some(line) = json::unpack(&entry.line, &mut entry.labels) {
                    entry.line.set(line);
                }
            }
            Stage::Decolorize => {
                if let Some(line) = decolorize::strip(&entry.line) {
                    entry.line.set(line);
                }
            }
            Stage::LineFormat(template) => match self.render(template, entry) {
                Ok(line) => entry.line.set(line),
                Err(told) => entry.labels.fail(TEMPLATE_ERROR, told),
            },
            Stage::LabelFormat(formats) => self.format_labels(formats, entry),
            Stage::Drop(tests) => labels::drop(tests, &mut entry.labels),
            Stage::Keep(tests) => labels::keep(tests, &mut entry.labels),
            Stage::Unwrap(label, conversion) => return unwrap(label, *conversion, entry),
        }
        true
    }

    fn render(&self, template: &Template, entry: &Entry<'_>) -> Result<String, String> {
        let data = LineData { labels: &entry.labels, now_ns: self.now_ns };
        template.run(&data, &TEMPLATE_LIMITS).map_err(|error| error.message)
    }

    fn format_labels(&self, formats: &[(Text, LabelFormat)], entry: &mut Entry<'_>) {
        for (label, format) in formats {
            match format {
                LabelFormat::Rename(source) => {
                    if let Some(value) = entry.labels.get(source).map(Text::from) {
                        entry.labels.set(label, &value);
                        entry.labels.remove(source);
                    }
                }
                LabelFormat::Template(template) => match self.render(template, entry) {
                    Ok(value) => entry.labels.set(label, &value),
                    Err(told) => entry.labels.fail(TEMPLATE_ERROR, told),
                },
            }
        }
    }
}

/// Makes a label the number of a line. Lines without it are none of those that count.
fn unwrap(label: &str, conversion: ast::Conversion, entry: &mut Entry<'_>) -> bool {
    let Some(text) = entry.labels.get(label) else { return false };
    let number = match conversion {
        ast::Conversion::None => parse_number(text),
        ast::Conversion::Bytes => parse_bytes(text).map(|bytes| bytes as f64),
        ast::Conversion::Duration | ast::Conversion::DurationSeconds => {
            go::parse_duration(text).map(|duration| duration as f64 / 1e9)
        }
    };
    match number {
        Ok(number) => entry.value = number,
        Err(told) => entry.labels.fail(SAMPLE_ERROR, told),
    }
    true
}

fn ask_template(asked: &mut Option<Needed>, text: &str) {
    match (functions::template(text), asked.as_mut()) {
        (Ok(template), Some(known)) if !template.names_whole() => {
            template.fields().iter().for_each(|name| known.insert(name));
        }
        // One that names its dot may ask for anything.
        _ => *asked = None,
    }
}

/// The expression of `| regexp`, which names at least one part.
pub(crate) fn named_groups(pattern: &str) -> Result<Regex, String> {
    let regex = regexp::anywhere(pattern)?;
    if regex.capture_names().flatten().next().is_none() {
        return Err("at least one named capture must be supplied, as in (?P<status>\\d+)".to_owned());
    }
    let mut names: Vec<&str> = regex.capture_names().flatten().collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(format!("duplicate extracted label name '{}'", pair.first().unwrap_or(&""))),
        None => Ok(regex),
    }
}

fn compile(stage: &ast::Stage) -> Result<Stage, String> {
    let pairs = |extractions: &[ast::Extraction]| {
        extractions.iter().map(|extraction| (extraction.label.clone(), extraction.expression.clone())).collect()
    };
    Ok(match stage {
        ast::Stage::LineFilter(filter) => Stage::LineFilter(LineFilter::new(filter)?),
        ast::Stage::Json(extractions) => {
            let path = |extraction: &ast::Extraction| {
                Ok::<_, String>((extraction.label.clone(), JsonPath::parse(&extraction.expression)?))
            };
            Stage::Json(extractions.iter().map(path).collect::<Result<_, _>>()?)
        }
        ast::Stage::Logfmt { strict, keep_empty, extractions } => {
            Stage::Logfmt { strict: *strict, keep_empty: *keep_empty, extractions: pairs(extractions) }
        }
        ast::Stage::Pattern(pattern) => Stage::Pattern(Pattern::parser(pattern)?),
        ast::Stage::Regexp(pattern) => Stage::Regexp(Box::new(named_groups(pattern)?)),
        ast::Stage::Unpack => Stage::Unpack,
        ast::Stage::Decolorize => Stage::Decolorize,
        ast::Stage::LineFormat(template) => Stage::LineFormat(Box::new(functions::template(template)?)),
        ast::Stage::LabelFormat(formats) => {
            let format = |(label, format): &(Text, ast::LabelFormat)| {
                let format = match format {
                    ast::LabelFormat::Rename(source) => LabelFormat::Rename(source.clone()),
                    ast::LabelFormat::Template(text) => LabelFormat::Template(Box::new(functions::template(text)?)),
                };
                Ok::<_, String>((label.clone(), format))
            };
            Stage::LabelFormat(formats.iter().map(format).collect::<Result<_, _>>()?)
        }
        ast::Stage::Drop(tests) => Stage::Drop(labels::tests(tests)?),
        ast::Stage::Keep(tests) => Stage::Keep(labels::tests(tests)?),
        ast::Stage::LabelFilter(filter) => Stage::LabelFilter(LabelFilter::new(filter)?),
        ast::Stage::Unwrap(unwrap) => Stage::Unwrap(unwrap.label.clone(), unwrap.conversion),
    })
}
