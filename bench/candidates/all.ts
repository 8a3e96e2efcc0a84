import type { Settings } from "../settings.js";
import type { Candidate } from "./candidate.js";
import { baselineCandidate, moonbridgeCandidates } from "./moonbridge.js";
import { nginx } from "./nginx.js";
import { naiveRelay, noGateway } from "./relays.js";

/** The candidates that the settings select, in the order of the tables. */
export function selectCandidates({ quick, candidates, baseline: baselineDist }: Settings): Candidate[] {
  const baselines = baselineDist === undefined ? [] : [baselineCandidate(baselineDist)];
  const all = [noGateway, nginx, naiveRelay, ...baselines, ...moonbridgeCandidates];
  if (candidates.length === 0)
    return quick
      ? all.filter(
          (candidate) => !moonbridgeCandidates.includes(candidate) || candidate === moonbridgeCandidates[0],
        )
      : all;
  return all.filter(({ name }) => candidates.some((namePart) => name.includes(namePart)));
}
