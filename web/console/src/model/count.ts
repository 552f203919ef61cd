// Counts, shares, rates and bytes, written for people.

/** `0`, `999`, `1,234`, `12.3k`, `4.56M`. */
export function formatCount(value: number): string {
  if (value < 10_000) {
    return Math.round(value).toLocaleString("en-US");
  }
  if (value < 999_500) {
    return `${trim(value / 1e3)}k`;
  }
  return value < 999_500_000 ? `${trim(value / 1e6)}M` : `${trim(value / 1e9)}G`;
}

function trim(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/** Per second, or per minute where that reads better: `0`, `12.3/s`, `4.2/min`. */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) {
    return "0/s";
  }
  if (perSecond < 0.1) {
    const perMinute = perSecond * 60;
    return perMinute < 0.01 ? "< 0.01/min" : `${trim(perMinute)}/min`;
  }
  return perSecond < 10_000 ? `${trim(perSecond)}/s` : `${formatCount(perSecond)}/s`;
}

/** A share of one as per cent: `0 %`, `< 0.1 %`, `2.4 %`, `37 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 0) {
    return "0 %";
  }
  if (percent < 0.1) {
    return "< 0.1 %";
  }
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

/** Binary units: `512 B`, `1.5 KiB`, `12.3 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = "B";
  for (const next of ["KiB", "MiB", "GiB", "TiB"]) {
    if (value < 1024) {
      break;
    }
    value /= 1024;
    unit = next;
  }
  return `${unit === "B" ? Math.round(value) : trim(value)} ${unit}`;
}

/** `1 span`, `2 spans`, `1,204 spans`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
