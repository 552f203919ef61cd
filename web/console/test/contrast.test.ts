// The themes' colours against WCAG 2.2 AA: 4.5 to 1 for text, 3 to 1 for bars, marks and edges of controls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Palette, preferredSlot, SLOTS } from "../src/model/colour.ts";
import tokens from "../src/styles/tokens.css";

type Rgb = [number, number, number];

function theme(name: string): Map<string, string> {
  const block = new RegExp(`\\[data-theme="${name}"\\] \\{([^}]*)\\}`).exec(tokens)?.[1] ?? "";
  return new Map(
    [...block.matchAll(/--([\w-]+): ([^;]+);/g)].map(([, key, value]) => [key ?? "", value ?? ""]),
  );
}

/** Linear sRGB. */
function rgb(text: string): Rgb {
  const hex = /^#(\w\w)(\w\w)(\w\w)$/.exec(text);
  if (hex !== null) {
    const [r, g, b] = hex.slice(1).map((pair) => {
      const share = Number.parseInt(pair, 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return [r ?? 0, g ?? 0, b ?? 0];
  }
  const oklch = /^oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)$/.exec(text);
  assert.ok(oklch !== null, `a colour that this test cannot read: ${text}`);
  const [lightness = 0, chroma = 0, hue = 0] = oklch.slice(1).map(Number);
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  return [
    clip(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    clip(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    clip(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [one, other]
    .map((text) => {
      const [r, g, b] = rgb(text);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    })
    .sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const GROUNDS = ["ground", "surface", "raised"];

for (const name of ["dark", "light"]) {
  const colours = theme(name);
  const of = (token: string) => colours.get(token) ?? assert.fail(`${name} has no ${token}`);
  const holds = (front: string, back: string, least: number) => {
    const found = contrast(of(front), of(back));
    assert.ok(found >= least, `${name}: ${front} on ${back} is ${found.toFixed(2)}, not ${least}`);
  };

  test(`${name}: text can be read on every ground`, () => {
    for (const text of [
      "ink",
      "ink-soft",
      "ink-quiet",
      "link",
      "beam",
      "good",
      "warning",
      "error",
      "code-number",
      "level-fatal",
      "level-info",
      "level-debug",
    ]) {
      for (const ground of GROUNDS) {
        holds(text, ground, 4.5);
      }
    }
    holds("on-beam", "beam-fill", 4.5);
    holds("beam", "beam-ground", 4.5);
    for (const tone of ["warning", "error"]) {
      holds("ink", `${tone}-ground`, 4.5);
      holds("ink-quiet", `${tone}-ground`, 4.5);
      holds(tone, `${tone}-ground`, 4.5);
    }
    holds("ink", "info-ground", 4.5);
  });

  test(`${name}: bars, marks and the edges of controls can be seen`, () => {
    for (const ground of GROUNDS) {
      for (let slot = 0; slot < SLOTS; slot += 1) {
        holds(`service-${slot}`, ground, 3);
      }
      holds("line-strong", ground, 3);
      holds("bar", ground, 3);
    }
  });
}

test("a service keeps its colour, and services share none while some are free", () => {
  const names = Array.from({ length: SLOTS }, (_, at) => `service-${at}`);
  const palette = new Palette();
  const first = names.map((name) => palette.slot(name));
  assert.equal(new Set(first).size, SLOTS);
  assert.deepEqual(
    names.toReversed().map((name) => palette.slot(name)),
    first.toReversed(),
  );
  assert.ok(palette.slot("one too many") < SLOTS);
  assert.equal(preferredSlot("delivery-api"), new Palette().slot("delivery-api"));
});
