//! Which series of two vectors belong together, and what becomes of their labels.

use console_model::{LabelSetBuilder, Labels};
use hashbrown::HashMap;

use super::Evaluation;
use super::binary::{Operand, is_trim, write};
use super::block::{Block, Histograms, NAME, Row, absent, filtered, is_absent, visible, write_key};
use crate::Error;
use crate::ast::{Binary, BinaryOp, Cardinality, Matching, Span};

/// Rows of both sides that share a signature.
#[derive(Default)]
struct Pair {
    many: Vec<usize>,
    one: Vec<usize>,
}

/// Two vectors, and which rows of them share a signature.
struct Sides<'m> {
    /// The side of which several rows may share a signature; the left one unless it is `group_right`.
    many: Block<'m>,
    one: Block<'m>,
    pairs: Vec<Pair>,
}

impl Evaluation<'_> {
    pub(super) fn match_vectors<'m>(
        &'m self,
        binary: &Binary,
        left: Block<'m>,
        right: Block<'m>,
        span: Span,
    ) -> Result<Block<'m>, Error> {
        let Some(matching) = &binary.matching else {
            return Err(Error::Execution("operands of a binary expression cannot be matched".to_owned()));
        };
        let swapped = matching.cardinality == Cardinality::OneToMany;
        let (many, one) = if swapped { (right, left) } else { (left, right) };
        let pairs = self.pairs(matching, &many, &one)?;
        let sides = Sides { many, one, pairs };
        if binary.op.is_set() {
            return self.set_operation(binary.op, sides);
        }
        self.check_one_side(matching, &sides)?;
        self.combine_sides(binary, matching, &sides, span)
    }

    fn pairs(&self, matching: &Matching, many: &Block<'_>, one: &Block<'_>) -> Result<Vec<Pair>, Error> {
        let mut known: HashMap<Vec<u8>, usize> = HashMap::with_capacity(many.rows.len().max(one.rows.len()));
        let mut pairs: Vec<Pair> = Vec::new();
        let mut key = Vec::new();
        for (is_many, block) in [(true, many), (false, one)] {
            for (place, row) in block.rows.iter().enumerate() {
                key.clear();
                let hidden = self.hides_name(row.nameless);
                write_key(&mut key, visible(&row.labels, hidden).filter(|(name, _)| counts(matching, name)));
                let next = pairs.len();
                let at = *known.entry_ref(key.as_slice()).or_insert(next);
                if at == next {
                    pairs.push(Pair::default());
                }
                if let Some(pair) = pairs.get_mut(at) {
                    if is_many { pair.many.push(place) } else { pair.one.push(place) }
                }
                self.tick(1)?;
            }
        }
        Ok(pairs)
    }

    /// `and`, `or`, `unless`.
    fn set_operation<'m>(&'m self, op: BinaryOp, sides: Sides<'m>) -> Result<Block<'m>, Error> {
        let Sides { many: mut left, one: mut right, pairs } = sides;
        let steps = left.steps;
        let mut present = vec![false; steps];
        for pair in &pairs {
            // Of `or` what is on the left hides the right, else what is on the right decides about the left.
            let (deciding, decided) =
                if op == BinaryOp::Or { (&pair.many, &pair.one) } else { (&pair.one, &pair.many) };
            if decided.is_empty() || (deciding.is_empty() && op != BinaryOp::And) {
                continue;
            }
            present.fill(false);
            let table = if op == BinaryOp::Or { &left } else { &right };
            for row in deciding {
                let cells = table.cells(*row).iter().zip(&mut present);
                cells.for_each(|(cell, present)| *present |= !is_absent(*cell));
            }
            let keep = op == BinaryOp::And;
            let table = if op == BinaryOp::Or { &mut right } else { &mut left };
            for row in decided {
                let Some(cells) = table.cells.get_mut(row * steps..(row + 1) * steps) else { continue };
                let dropped = cells.iter_mut().zip(&present).filter(|(_, present)| **present != keep);
                dropped.for_each(|(cell, _)| *cell = absent());
            }
            self.tick(steps)?;
        }
        left.compact();
        if op == BinaryOp::Or {
            right.compact();
            right.iter().try_for_each(|row| left.push(row))?;
            left.merge(self.delayed())?;
        }
        Ok(left)
    }

    /// On the one side no two rows of a signature may be there at once.
    fn check_one_side(&self, matching: &Matching, sides: &Sides<'_>) -> Result<(), Error> {
        let Sides { many, one, pairs } = sides;
        for pair in pairs.iter().filter(|pair| pair.one.len() > 1) {
            for step in 0..one.steps {
                let mut there = pair.one.iter().filter(|row| !is_absent(one.cell(**row, step)));
                let (Some(first), Some(second)) = (there.next(), there.next()) else { continue };
                let others = (0..many.rows.len()).any(|row| !is_absent(many.cell(row, step)));
                let (Some(first), Some(second)) = (one.rows.get(*first), one.rows.get(*second)) else { continue };
                if others {
                    return Err(self.duplicate(matching, first, second));
                }
                self.tick(pair.one.len())?;
            }
        }
        Ok(())
    }

    fn duplicate(&self, matching: &Matching, first: &Row, second: &Row) -> Error {
        let shown = |row: &Row| {
            let hidden = self.hides_name(row.nameless);
            filtered(&row.labels, |name| !(hidden && name == NAME))
        };
        let group = filtered(&first.labels, |name| counts(matching, name));
        let side = if matching.cardinality == Cardinality::OneToMany { "left" } else { "right" };
        let (mut first, mut second) = (shown(first), shown(second));
        if second < first {
            std::mem::swap(&mut first, &mut second);
        }
        Error::Execution(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{first}, \
             {second}];many-to-many matching not allowed: matching labels must be unique on one side"
        ))
    }

    fn combine_sides<'m>(
        &'m self,
        binary: &Binary,
        matching: &Matching,
        sides: &Sides<'m>,
        span: Span,
    ) -> Result<Block<'m>, Error> {
        let Sides { many, one, pairs } = sides;
        let steps = many.steps;
        let grouped = matching.cardinality != Cardinality::OneToOne;
        let mut result = Block::new(steps, &self.meter);
        let mut taken = Vec::new();
        let mut joined = grouped;
        let filled = matching.fill != (None, None);
        for pair in pairs {
            if !filled && (pair.many.is_empty() || pair.one.is_empty()) {
                continue;
            }
            taken.clear();
            if pair.many.len() > 1 && !grouped {
                taken.resize(steps, false);
                joined = true;
            }
            joined |= pair.one.len() > 1;
            let combination = Combination { evaluation: self, binary, matching, many, one, span };
            for many_row in &pair.many {
                for one_row in &pair.one {
                    combination.rows(Some(*many_row), Some(*one_row), None, &mut taken, &mut result)?;
                }
                if filled {
                    let missing = combination.missing(*many_row, many, &pair.one, one);
                    combination.rows(Some(*many_row), None, Some(&missing), &mut taken, &mut result)?;
                }
            }
            if filled {
                for one_row in &pair.one {
                    let missing = combination.missing(*one_row, one, &pair.many, many);
                    combination.rows(None, Some(*one_row), Some(&missing), &mut taken, &mut result)?;
                }
                joined = true;
            }
        }
        result.compact();
        if joined || (!self.delayed() && result.names_differ()) {
            let unique = "multiple matches for labels: grouping labels must ensure unique matches";
            result.merge(self.delayed()).map_err(|error| match error {
                Error::Execution(_) if grouped => Error::Execution(unique.to_owned()),
                other => other,
            })?;
        }
        Ok(result)
    }
}

/// What all rows of an operation have in common.
struct Combination<'c, 'q, 'm> {
    evaluation: &'c Evaluation<'q>,
    binary: &'c Binary,
    matching: &'c Matching,
    many: &'c Block<'m>,
    one: &'c Block<'m>,
    span: Span,
}

impl Combination<'_, '_, '_> {
    /// Combines two rows, or one row with what stands for a missing one.
    ///
    /// `only`: the steps to look at, if not all. `taken`: the steps at which something has come of the
    /// signature already; empty if that is allowed.
    fn rows(
        &self,
        many_row: Option<usize>,
        one_row: Option<usize>,
        only: Option<&[bool]>,
        taken: &mut [bool],
        result: &mut Block<'_>,
    ) -> Result<(), Error> {
        let swapped = self.matching.cardinality == Cardinality::OneToMany;
        let (fill_many, fill_one) = match self.matching.fill {
            (left, right) if swapped => (right, left),
            sides => sides,
        };
        if (many_row.is_none() && fill_many.is_none()) || (one_row.is_none() && fill_one.is_none()) {
            return Ok(());
        }
        let (many, one) = (many_row.and_then(|row| self.many.row(row)), one_row.and_then(|row| self.one.row(row)));
        let steps = self.many.steps;
        let mut cells = vec![absent(); steps];
        let mut histograms = Histograms::new();
        for (step, cell) in cells.iter_mut().enumerate() {
            if only.is_some_and(|only| only.get(step) != Some(&true)) {
                continue;
            }
            let operand = |row: Option<super::RowRef<'_>>| {
                row.map_or(absent(), |row| row.cells.get(step).copied().unwrap_or(absent()))
            };
            let from_many = match &many {
                Some(row) => Operand::of(operand(many), step, row.histograms),
                None => fill_many.map(Operand::Float),
            };
            let from_one = match &one {
                Some(row) => Operand::of(operand(one), step, row.histograms),
                None => fill_one.map(Operand::Float),
            };
            let (Some(from_many), Some(from_one)) = (from_many, from_one) else { continue };
            let (left, right) = if swapped { (from_one, from_many) } else { (from_many, from_one) };
            let kept = left.clone();
            let Some(combined) = self.evaluation.combine(self.binary.op, left, right, self.span) else { continue };
            // That two rows of a side find the same one is wrong even where a comparison leaves neither.
            match taken.get_mut(step) {
                Some(taken) if *taken => {
                    let text = "multiple matches for labels: many-to-one matching must be explicit \
                                (group_left/group_right)";
                    return Err(Error::Execution(text.to_owned()));
                }
                Some(taken) => *taken = true,
                None => {}
            }
            write(combined, &kept, self.binary.returns_bool, step, cell, &mut histograms);
        }
        self.evaluation.tick(steps)?;
        if cells.iter().all(|cell| is_absent(*cell)) {
            return Ok(());
        }
        let row =
            self.labelled(many.map(|row| (row.labels, row.nameless)), one.map(|row| (row.labels, row.nameless)))?;
        result.push(super::RowRef {
            labels: &row.labels,
            nameless: row.nameless,
            cells: &cells,
            histograms: &histograms,
        })
    }

    /// The steps at which a row is there and none of the others is.
    fn missing(&self, row: usize, block: &Block<'_>, others: &[usize], other_block: &Block<'_>) -> Vec<bool> {
        let there = |block: &Block<'_>, row: usize, step| !is_absent(block.cell(row, step));
        (0..block.steps)
            .map(|step| there(block, row, step) && !others.iter().any(|other| there(other_block, *other, step)))
            .collect()
    }

    /// The labels of a result.
    fn labelled(&self, many: Option<(&Labels, bool)>, one: Option<(&Labels, bool)>) -> Result<Row, Error> {
        let Matching { on, labels, include, cardinality, .. } = self.matching;
        let op = self.binary.op;
        let drops = !(op.is_comparison() || is_trim(op)) || self.binary.returns_bool;
        let Some((base, nameless)) = many.or(one) else {
            return Ok(Row::new(Labels::default(), false));
        };
        if many.is_none() {
            // A row that is only on the one side is known by what both sides have in common.
            return Ok(Row::new(filtered(base, |name| counts(self.matching, name)), nameless || drops));
        }
        if *cardinality == Cardinality::OneToOne {
            let named = |name: &str| labels.iter().any(|label| label == name);
            return Ok(Row::new(filtered(base, |name| named(name) == *on), nameless || drops));
        }
        if include.is_empty() {
            return Ok(Row::new(base.clone(), nameless || drops));
        }
        let mut builder = LabelSetBuilder::new();
        let copied = |name: &str| include.iter().any(|label| label == name);
        base.iter().filter(|(name, _)| !copied(name)).for_each(|(name, value)| builder.push(name, value));
        for (name, value) in one.iter().flat_map(|(one, _)| one.iter()).filter(|(name, _)| copied(name)) {
            self.evaluation.count_label(value)?;
            builder.push(name, value);
        }
        let drops = drops && !copied(NAME);
        Ok(Row::new(builder.finish(), (nameless && !copied(NAME)) || drops))
    }
}

/// Whether a label belongs to the signature.
fn counts(matching: &Matching, name: &str) -> bool {
    let named = matching.labels.iter().any(|label| label == name);
    if matching.on { named } else { !named && name != NAME }
}
