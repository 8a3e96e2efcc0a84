import type { CredentialStore } from "../core/store.js";

/** A credential store that keeps nothing, for credentials that must not be written to disk, such as the simulator's. */
export function createNullCredentialStore(): CredentialStore {
  return {
    isShared: false,
    findCredentials: async () => undefined,
    saveCredentials: async () => true,
    acquireLock: async () => 1,
    releaseLock: async () => {},
  };
}
