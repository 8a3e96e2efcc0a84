import { configMessages } from "../i18n/config-messages.js";
import type { Message } from "../i18n/text.js";
import type { Environment } from "../lib/environment-variables.js";
import { nearestName } from "../lib/nearest-name.js";
import { variableNames } from "./environment.js";

/** Variables that are read elsewhere than in `environment.ts`, or are for the shell (`serve` prints MOONBRIDGE_KEY). */
const otherVariables = [
  "MOONBRIDGE_CONFIG",
  "MOONBRIDGE_ENCRYPTION_KEY",
  "MOONBRIDGE_ENCRYPTION_KEY_OLD",
  "MOONBRIDGE_KEY",
  "MOONBRIDGE_LANG",
];

/** Variables that Kubernetes sets for a service named `moonbridge`: `MOONBRIDGE_PORT=tcp://10.0.0.7:6867`. */
const kubernetesName = /^MOONBRIDGE_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_\w+)?)$/;
const kubernetesValue = /^(tcp|udp):\/\//;

/**
 * Moonbridge's own variables, without empty ones and without quotes and space around their values: `docker --env-file`
 * keeps these. A warning names each variable that had quotes, and each that does not exist.
 */
export function checkEnvironment(environment: Environment): {
  variables: Environment;
  warnings: Message[];
} {
  const known = [...variableNames, ...otherVariables];
  const warnings: Message[] = [];
  const variables: Record<string, string> = {};
  for (const name of known) {
    const value = environment[name]?.trim() ?? "";
    const unquoted = /^(["'])(.*)\1$/s.exec(value)?.[2];
    if (unquoted !== undefined) warnings.push(configMessages.quotesTakenOff(name));
    if ((unquoted ?? value) !== "") variables[name] = unquoted ?? value;
  }
  for (const [name, value = ""] of Object.entries(environment)) {
    const isKnown = known.includes(process.platform === "win32" ? name.toUpperCase() : name);
    if (isKnown || !/^MOONBRIDGE_/i.test(name)) continue;
    if (kubernetesName.test(name) || kubernetesValue.test(value)) continue;
    const nearest = nearestName(name, known);
    warnings.push(configMessages.unknownVariable(name.slice(0, 80), nearest));
  }
  return { variables, warnings };
}
