import { distance } from "fastest-levenshtein";

type NearestNameOptions = {
  /** The form in which names are compared; by default in lower case. */
  plain?: (name: string) => string;
  /** The edits between the plain name and the plain candidate that are allowed; by default a third of the candidate's length. */
  allowedEdits?: (name: string, candidate: string) => number;
};

/** The candidate that was probably meant: the one with the fewest edits, if they are allowed. Undefined if there is none. */
export function nearestName(
  name: string,
  candidates: readonly string[],
  { plain = lowerCase, allowedEdits = thirdOfCandidate }: NearestNameOptions = {},
): string | undefined {
  const plainName = plain(name);
  const [nearest] = candidates
    .map((candidate) => ({ candidate, edits: distance(plainName, plain(candidate)) }))
    .filter(({ candidate, edits }) => edits <= allowedEdits(plainName, plain(candidate)))
    .toSorted((a, b) => a.edits - b.edits);
  return nearest?.candidate;
}

const lowerCase = (name: string) => name.toLowerCase();
const thirdOfCandidate = (_name: string, candidate: string) => Math.max(1, Math.floor(candidate.length / 3));
