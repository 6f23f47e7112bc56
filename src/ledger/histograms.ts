/**
 * Histograms as they are kept: how many values fell into each bucket, where a bucket is 2 % wider than the one before
 * (DDSketch, Masson et al. 2019), so that a percentile is within 1 % of the exact one, however many are added up.
 *
 * As bytes an entry is a bucket (two, signed, the high one first) and its count (LEB128: seven bits a byte, the low ones
 * first, the top bit says that more follow). A bucket may come twice: histograms are added by putting one behind the other.
 */

/** What histograms are kept of. */
export const measures = ["latency_ms", "ttft_ms", "tokens_per_second", "queued_ms", "load_ms"] as const;
export type Measure = (typeof measures)[number];

/** A value for each of them. */
export function ofEach<T>(make: (measure: Measure) => T): Record<Measure, T> {
  return {
    latency_ms: make("latency_ms"),
    ttft_ms: make("ttft_ms"),
    tokens_per_second: make("tokens_per_second"),
    queued_ms: make("queued_ms"),
    load_ms: make("load_ms"),
  };
}

/** How many values fell into each bucket. */
export type Counts = Map<number, number>;

const GAMMA = 1.02;
/** A microsecond; smaller values count as this. */
const SMALLEST = 0.001;
/** 30,000 years of milliseconds; larger values count as this. */
const LARGEST = 1e15;
const LOWEST_BUCKET = bucketOf(0);
const BUCKETS = bucketOf(Number.POSITIVE_INFINITY) - LOWEST_BUCKET + 1;

function bucketOf(value: number): number {
  return Math.ceil(Math.log(Math.min(Math.max(value, SMALLEST), LARGEST)) / Math.log(GAMMA));
}

/** No value of a bucket is further than 1 % from this. */
function middleOf(bucket: number): number {
  return (2 * GAMMA ** bucket) / (GAMMA + 1);
}

/** Counts a value. */
export function addValue(counts: Counts, value: number): void {
  addTo(counts, bucketOf(value), 1);
}

/** Adds a histogram to counts. */
export function addHistogram(counts: Counts, histogram: Uint8Array): void {
  eachEntry(histogram, (bucket, count) => addTo(counts, bucket, count));
}

/** @returns null where nothing was counted */
export function histogramOf(counts: Counts): Uint8Array | null {
  if (counts.size === 0) return null;
  const bytes: number[] = [];
  for (const [bucket, count] of counts) {
    bytes.push((bucket >> 8) & 0xff, bucket & 0xff);
    let rest = count;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/**
 * What reads percentiles, by nearest rank, each within 1 % of the exact one; null where there are no values. It is made
 * once for many histograms, since its table of buckets costs more than what it does with one.
 */
export function percentileReader(): (histogram: Uint8Array | null | undefined) => Percentiles | null {
  const counts = new Float64Array(BUCKETS);
  return (histogram) => {
    if (!histogram || histogram.length === 0) return null;
    let total = 0;
    let lowest = BUCKETS;
    let highest = 0;
    eachEntry(histogram, (bucket, count) => {
      const at = bucket - LOWEST_BUCKET;
      counts[at] = (counts[at] ?? 0) + count;
      total += count;
      if (at < lowest) lowest = at;
      if (at > highest) highest = at;
    });
    let at = lowest;
    let passed = counts[at] ?? 0;
    const next = (share: number) => {
      while (passed < Math.ceil(share * total)) passed += counts[++at] ?? 0;
      return middleOf(at + LOWEST_BUCKET);
    };
    const percentiles = { p50: next(0.5), p95: next(0.95), p99: next(0.99) };
    counts.fill(0, lowest, highest + 1);
    return percentiles;
  };
}

function addTo(counts: Counts, bucket: number, count: number): void {
  counts.set(bucket, (counts.get(bucket) ?? 0) + count);
}

function eachEntry(bytes: Uint8Array, take: (bucket: number, count: number) => void): void {
  let at = 0;
  const next = () => bytes[at++] ?? 0;
  while (at < bytes.length) {
    // The shifts carry the sign.
    const bucket = (((next() << 8) | next()) << 16) >> 16;
    let count = 0;
    let byte = next();
    let unit = 1;
    for (; byte > 0x7f; unit *= 0x80, byte = next()) count += (byte & 0x7f) * unit;
    take(bucket, count + byte * unit);
  }
}
