/** As `engines` in package.json: [major, minor]. */
export const minimumNodeVersion = [20, 19] as const;

/** Whether this version of Node.js can run Moonbridge. */
export function isNodeSupported(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const [minimumMajor, minimumMinor] = minimumNodeVersion;
  return major > minimumMajor || (major === minimumMajor && minor >= minimumMinor);
}
