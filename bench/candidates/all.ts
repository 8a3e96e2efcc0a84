import type { Settings } from "../settings.js";
import type { Candidate } from "./candidate.js";
import { baseline, moonbridges } from "./moonbridge.js";
import { nginx } from "./nginx.js";
import { naiveRelay, noGateway } from "./relays.js";

/** Who takes part, in the order of the tables. */
export function candidatesFor({ quick, candidates, baseline: build }: Settings): Candidate[] {
  const before = build === undefined ? [] : [baseline(build)];
  const all = [noGateway, nginx, naiveRelay, ...before, ...moonbridges];
  if (candidates.length === 0)
    return quick ? all.filter((each) => !moonbridges.includes(each) || each === moonbridges[0]) : all;
  return all.filter(({ name }) => candidates.some((asked) => name.includes(asked)));
}
