import fc from "fast-check";

/** The same cases in every run; another number, or "random", explores others: `TEST_SEED=random npm test`. */
const seed = process.env.TEST_SEED ?? "20261124";
if (seed !== "random") fc.configureGlobal({ seed: Number(seed) });
