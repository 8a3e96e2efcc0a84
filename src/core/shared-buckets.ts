/** A bucket's capacity, and the milliseconds in which an empty one refills. */
export type RateAllowance = { tokens: number; refillMs: number };

/** `remaining`: whole tokens. `secondsToNext`, `secondsToFull`: until one token is available, until the bucket is full. */
export type BucketState = { remaining: number; secondsToNext: number; secondsToFull: number };

/** Token buckets that all processes of a service share. Calls reject with StoreError. */
export interface SharedBuckets {
  /** Takes one token of the bucket if it has one: `isTaken`. */
  take(name: string, allowance: RateAllowance): Promise<BucketState & { isTaken: boolean }>;
  state(name: string, allowance: RateAllowance): Promise<BucketState>;
}
