/** Quantiles, ratios, and how figures are written. */

export function median(values) {
  return quantile(values, 0.5);
}

/** What a share of the values (0 … 1) does not exceed, between two of them if need be; `undefined` when there are none. */
export function quantile(values, share) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place % 1);
}

/** Three digits, or all before the point; whole numbers as they are. */
export function write(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function ratio(value, other) {
  return Number.isFinite(value) && other > 0 ? write(value / other) : '–';
}
