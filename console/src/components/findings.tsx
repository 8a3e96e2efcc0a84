import { Text } from "@mantine/core";
import type { Finding } from "../api/types.js";
import { StateLabel } from "./state.jsx";

/** What checks have found: each with its state, in words, and what to do. */
export function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <ul className="findings">
      {findings.map(({ what, state, detail, remedy }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two checks may have the same name; the list only grows.
        <li key={index} className="finding">
          <StateLabel state={state} />
          <div>
            <Text size="sm" fw={600}>
              {what}
            </Text>
            <Text size="sm" className="server-words">
              {detail}
            </Text>
            {remedy !== null && (
              <Text size="sm" c="dimmed" className="server-words">
                {remedy}
              </Text>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
