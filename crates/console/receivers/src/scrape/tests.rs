//! Scraping: what becomes of a text, which targets there are, and when they are scraped.

mod running;
mod series;
mod targets;
