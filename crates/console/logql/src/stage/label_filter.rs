//! Label filters, as they run. A value that is none of the kind that a filter asks for lets the line through,
//! with an error.

use std::cmp::Ordering;
use std::net::IpAddr;

use console_model::Text;
use console_template::go;

use super::labels::TextTest;
use super::{AddressRange, LABEL_FILTER_ERROR};
use crate::ast::{self, CompareOp};
use crate::entry::{LineLabels, Needed};
use crate::value::{parse_bytes, parse_number};

pub(super) enum LabelFilter {
    Text(Text, TextTest),
    Number(Text, CompareOp, f64),
    Duration(Text, CompareOp, i64),
    Bytes(Text, CompareOp, u64),
    Address(Text, bool, AddressRange),
    And(Box<LabelFilter>, Box<LabelFilter>),
    Or(Box<LabelFilter>, Box<LabelFilter>),
}

/// Collects the labels that a filter looks at.
pub(super) fn names(filter: &ast::LabelFilter, found: &mut Needed) {
    match filter {
        ast::LabelFilter::Matcher(matcher) => {
            found.insert(&matcher.name);
        }
        ast::LabelFilter::Number(name, ..)
        | ast::LabelFilter::Duration(name, ..)
        | ast::LabelFilter::Bytes(name, ..)
        | ast::LabelFilter::Ip(name, ..) => {
            found.insert(name);
        }
        ast::LabelFilter::And(left, right) | ast::LabelFilter::Or(left, right) => {
            names(left, found);
            names(right, found);
        }
    }
}

impl LabelFilter {
    pub(super) fn new(filter: &ast::LabelFilter) -> Result<Self, String> {
        let both = |left: &ast::LabelFilter, right: &ast::LabelFilter| {
            Ok::<_, String>((Box::new(Self::new(left)?), Box::new(Self::new(right)?)))
        };
        Ok(match filter {
            ast::LabelFilter::Matcher(matcher) => Self::Text(matcher.name.clone(), TextTest::new(matcher)?),
            ast::LabelFilter::Number(name, op, number) => Self::Number(name.clone(), *op, *number),
            ast::LabelFilter::Duration(name, op, duration) => Self::Duration(name.clone(), *op, *duration),
            ast::LabelFilter::Bytes(name, op, bytes) => Self::Bytes(name.clone(), *op, *bytes),
            ast::LabelFilter::Ip(name, fits, pattern) => {
                Self::Address(name.clone(), *fits, AddressRange::parse(pattern)?)
            }
            ast::LabelFilter::And(left, right) => {
                let (left, right) = both(left, right)?;
                Self::And(left, right)
            }
            ast::LabelFilter::Or(left, right) => {
                let (left, right) = both(left, right)?;
                Self::Or(left, right)
            }
        })
    }

    pub(super) fn keeps(&self, labels: &mut LineLabels<'_>) -> bool {
        match self {
            Self::Text(name, test) => test.fits(labels.get(name).unwrap_or_default()),
            Self::Number(name, op, wanted) => {
                compared(labels, name, *op, |text| Ok(parse_number(text)?.partial_cmp(wanted)))
            }
            Self::Duration(name, op, wanted) => {
                compared(labels, name, *op, |text| Ok(Some(go::parse_duration(text)?.cmp(wanted))))
            }
            Self::Bytes(name, op, wanted) => {
                compared(labels, name, *op, |text| Ok(Some(parse_bytes(text)?.cmp(wanted))))
            }
            Self::Address(name, fits, range) => {
                let op = if *fits { CompareOp::Equal } else { CompareOp::NotEqual };
                compared(labels, name, op, |text| {
                    let address: IpAddr = text.parse().map_err(|_| format!("ip: {} is no address", go::quote(text)))?;
                    Ok(Some(if range.contains(address) { Ordering::Equal } else { Ordering::Less }))
                })
            }
            Self::And(left, right) => left.keeps(labels) && right.keeps(labels),
            Self::Or(left, right) => left.keeps(labels) || right.keeps(labels),
        }
    }
}

fn compared(
    labels: &mut LineLabels<'_>,
    name: &str,
    op: CompareOp,
    order: impl FnOnce(&str) -> Result<Option<Ordering>, String>,
) -> bool {
    // What failed before is not looked at again: only a comparison of text can leave it out.
    if labels.has_error() {
        return true;
    }
    let Some(value) = labels.get(name) else { return false };
    match order(value) {
        Ok(order) => match op {
            CompareOp::Equal => order == Some(Ordering::Equal),
            CompareOp::NotEqual => order != Some(Ordering::Equal),
            CompareOp::Greater => order == Some(Ordering::Greater),
            CompareOp::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            CompareOp::Less => order == Some(Ordering::Less),
            CompareOp::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        },
        Err(told) => {
            labels.fail(LABEL_FILTER_ERROR, told);
            true
        }
    }
}
