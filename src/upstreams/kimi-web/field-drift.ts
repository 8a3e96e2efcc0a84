import { asText, isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { type KnownFields, recordUnknownFields } from "../kimi-shared/unknown-fields.js";
import {
  eventFields,
  isKnownBlockField,
  knownContainers,
  stageNames,
  stageStatuses,
} from "./known-fields.js";

/** Counts what an event has and the interpreter does not use, unless it is known to carry nothing. */
export class FieldDrift {
  readonly #drift: ProtocolDrift;

  constructor(drift: ProtocolDrift) {
    this.#drift = drift;
  }

  recordEvent(event: JsonObject): void {
    const { op, block } = event;
    const names = Object.keys(event).filter((name) => !eventFields.has(name));
    if (names.length === 0) this.#drift.record("container", "none");
    for (const name of names) this.#recordContainer(name, event[name]);
    if (isObject(block)) this.#recordStages(block);
    const isUpdate = names.some((name) => name !== "heartbeat" && name !== "done");
    if (isUpdate && op !== "set" && op !== "append") this.#drift.record("op", asText(op) ?? "none");
  }

  #recordContainer(name: string, value: unknown): void {
    const known: KnownFields | undefined = isContainer(name) ? knownContainers[name] : undefined;
    if (!known || !isObject(value)) this.#drift.record("container", name);
    else if (name === "block") this.#recordBlock(value, known);
    else recordUnknownFields(value, known, { drift: this.#drift, path: name });
  }

  #recordBlock(block: JsonObject, known: KnownFields): void {
    const fields = Object.entries(block).filter(([name]) => {
      if (!isKnownBlockField(name)) this.#drift.record("block", name);
      return isKnownBlockField(name);
    });
    recordUnknownFields(Object.fromEntries(fields), known, { drift: this.#drift, path: "block" });
  }

  #recordStages({ stage, multiStage }: JsonObject): void {
    const stages = [stage, ...(isObject(multiStage) ? objectsIn(multiStage.stages) : [])];
    for (const { name, status } of objectsIn(stages)) {
      const stageName = asText(name)?.replace(/^STAGE_NAME_/, "");
      if (stageName !== undefined && !stageNames.has(stageName)) this.#drift.record("stage", stageName);
      const stageStatus = asText(status)?.replace(/^STAGE_STATUS_/, "");
      if (stageStatus !== undefined && !stageStatuses.has(stageStatus))
        this.#drift.record("stage", stageStatus);
    }
  }
}

function isContainer(name: string): name is keyof typeof knownContainers {
  return Object.hasOwn(knownContainers, name);
}
