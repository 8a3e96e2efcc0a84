import type { Scope } from "./types.js";

/** A login of a person at the console. Times are milliseconds since the epoch. */
export type StoredSession = {
  /** SHA-256 of the secret in the cookie. */
  sha256: string;
  /** The name that its requests act as. */
  key: string;
  /** SHA-256 of the API key that it was made with; the session ends with that key. Absent for other logins. */
  keySha256?: string;
  scopes: readonly Scope[];
  createdAt: number;
  expiresAt: number;
};

/** Sessions of the console, and the codes that make one. */
export interface SessionStore {
  /** Adds a session and removes those that have expired at its creation, and the oldest beyond `limit`. */
  addSession(session: StoredSession, limit: number): Promise<void>;
  findSession(sha256: string, now: number): Promise<StoredSession | undefined>;
  /** False if there is none. */
  removeSession(sha256: string): Promise<boolean>;
  /** The number of sessions that were removed: all of them. */
  removeSessions(): Promise<number>;
  /** Adds a code, and removes those that have expired at `now`. */
  addLoginCode(sha256: string, expiresAt: number, now: number): Promise<void>;
  /** Removes a code; true only once for each, and only before it has expired. In one step. */
  takeLoginCode(sha256: string, now: number): Promise<boolean>;
}
