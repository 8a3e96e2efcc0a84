import fc from "fast-check";

/** Seed of fast-check, fixed so that every run has the same cases; for others: `TEST_SEED=random npm test`, or a number. */
const seed = process.env.TEST_SEED ?? "20261124";
if (seed !== "random") fc.configureGlobal({ seed: Number(seed) });
