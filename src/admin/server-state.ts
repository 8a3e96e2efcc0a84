/** What there is to know of the running gateway as a whole. */
export type ServerState = {
  /** Milliseconds since the epoch. */
  startedAt: number;
  simulated: boolean;
  configFile: string | undefined;
  /** The path of the database, or the address of Redis. */
  store: string;
  filesFolder: string;
  /** Settings whose change takes effect at the next start only. */
  settingsForRestart: readonly string[];
  journal: { days: number; rows: number; lost: number; texts: boolean };
};
