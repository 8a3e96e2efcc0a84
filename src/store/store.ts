import type { TokenPair } from "../accounts/token.js";

/** What must outlive the process. The one implementation today is a file; see `file.ts`. */

/** An account's tokens as they are kept. */
export type StoredCredentials = {
  current: TokenPair;
  /** The pair before; kept until the current one has worked. */
  previous?: TokenPair;
  /** Fingerprint of the configured token that this pair descends from. */
  startedFrom: string;
  /** Milliseconds since the epoch. */
  savedAt: number;
};

export interface CredentialStore {
  /** The tokens of an account, or undefined if none were ever saved. */
  credentials(account: string): Promise<StoredCredentials | undefined>;
  /** Resolves when the tokens would survive a power cut. */
  saveCredentials(account: string, credentials: StoredCredentials): Promise<void>;
}

/** An API key of Moonbridge's own; the key itself is never kept. */
export type StoredKey = { name: string; sha256: string };

interface KeyStore {
  keys(): Promise<readonly StoredKey[]>;
  addKey(key: StoredKey): Promise<void>;
}

export interface Store extends CredentialStore, KeyStore {}
