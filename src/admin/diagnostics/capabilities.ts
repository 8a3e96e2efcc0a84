import { busySeconds, type CapabilityState, capabilities } from "../../core/capabilities.js";
import type { Upstream } from "../../core/types.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { formatTimeWithDistance } from "../../i18n/relative-time.js";
import type { LocalizedText } from "../../i18n/text.js";
import type { Finding } from "./finding.js";

/**
 * What is known of an account's behaviour: one finding about what was measured, and one for each capability that was turned
 * off in use. From local state; none for an upstream about which nothing is assumed.
 */
export function checkCapabilities(what: LocalizedText, upstream: Pick<Upstream, "capabilities">): Finding[] {
  const states = upstream.capabilities?.list();
  if (!states) return [];
  return [describeMeasured(what, states), ...states.flatMap((state) => describeTurnedOff(what, state))];
}

function describeMeasured(what: LocalizedText, states: readonly CapabilityState[]): Finding {
  const measured = states.flatMap(({ name, value, change }) =>
    change?.source === "probe" ? [{ name, value, changedAt: change.changedAt }] : [],
  );
  const last = Math.max(...measured.map(({ changedAt }) => changedAt));
  if (measured.length === 0) {
    const detail = doctorMessages.nothingMeasured(states.length);
    return { what, state: "ok", detail, remedy: doctorMessages.measure };
  }
  const differing = measured
    .filter(({ name, value }) => name !== busySeconds.name && value !== capabilities[name].default)
    .map(({ name, value }) => doctorMessages.capability(name, value ? "yes" : "no"));
  const time = formatTimeWithDistance(last, Date.now());
  return {
    what,
    state: "ok",
    detail: doctorMessages.measured(measured.length, states.length, time, differing),
  };
}

function describeTurnedOff(what: LocalizedText, { name, change }: CapabilityState): Finding[] {
  if (change?.source !== "use" || name === busySeconds.name) return [];
  const { meaning, fallback } = capabilities[name];
  const time = formatTimeWithDistance(change.changedAt, Date.now());
  return [
    {
      what,
      state: "warn",
      detail: doctorMessages.turnedOff(name, time, meaning),
      remedy: doctorMessages.turnedOffFallback(fallback),
    },
  ];
}
