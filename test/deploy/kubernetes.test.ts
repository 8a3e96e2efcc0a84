import { readdirSync, readFileSync } from "node:fs";
import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { repositoryRoot } from "../docs/files.js";

const folder = `${repositoryRoot}/deploy/kubernetes`;
const read = (file: string) => parse(readFileSync(`${folder}/${file}`, "utf8"));

/** The published schemas of Kubernetes. Of a ServiceMonitor there is none in the package. */
const kinds = {
  ...{ Deployment, HorizontalPodAutoscaler, NetworkPolicy, PodDisruptionBudget },
  ...{ Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount },
};
const withoutSchema = ["Kustomization", "ServiceMonitor"];

const files = ["base", "monitoring"].flatMap((part) =>
  readdirSync(`${folder}/${part}`)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => `${part}/${file}`),
);

describe("deploy/kubernetes", () => {
  test.each(files)("%s follows the schema of its kind", (file) => {
    const resource = read(file);
    if (withoutSchema.includes(resource.kind)) return;
    const Kind = Object.entries(kinds).find(([name]) => name === resource.kind)?.[1];
    if (!Kind) throw new Error(`there is no schema for ${resource.kind}`);
    new Kind(resource).validate();
  });

  test("a mistake in a field would be found", () => {
    const deployment = read("base/deployment.yaml");
    deployment.spec.replicas = "two";
    expect(() => new Deployment(deployment).validate()).toThrow();
  });

  test("each kustomization names every resource of its folder, but the template of the secret", () => {
    for (const part of ["base", "monitoring"]) {
      const named: string[] = read(`${part}/kustomization.yaml`).resources;
      const present = files
        .filter((file) => file.startsWith(`${part}/`))
        .map((file) => file.slice(part.length + 1))
        .filter((file) => !["kustomization.yaml", "secret.example.yaml"].includes(file));
      expect(named.filter((name) => name.endsWith(".yaml")).sort()).toEqual(present.sort());
    }
  });

  test("the pods meet the restricted standard of Kubernetes", () => {
    const pod = read("base/deployment.yaml").spec.template.spec;
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    for (const container of pod.containers)
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
  });

  test("a stopping pod has longer than the answers that it still gives", () => {
    const pod = read("base/deployment.yaml").spec.template.spec;
    const seconds = pod.containers[0].env.find(
      ({ name }: { name: string }) => name === "MOONBRIDGE_SERVER_SHUTDOWN_SECONDS",
    ).value;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + 20);
  });
});
