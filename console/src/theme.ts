import { Alert, type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const night: MantineColorsTuple = [
  "#eef2fb",
  "#dbe3f3",
  "#b4c4e6",
  "#8aa3d9",
  "#6886ce",
  "#4f72c5",
  "#3f63b5",
  "#31509a",
  "#263f7c",
  "#16233f",
];

const moon: MantineColorsTuple = [
  "#fff9e5",
  "#fdf0c8",
  "#fae08f",
  "#f6cf57",
  "#f3c74f",
  "#e6b324",
  "#b98a10",
  "#8f6a0b",
  "#6b4f08",
  "#463405",
];

const systemFonts =
  'system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans SC", "Noto Sans CJK SC", sans-serif';

const stateColours: Record<string, string> = {
  red: "var(--state-bad)",
  yellow: "var(--state-attention)",
  green: "var(--state-good)",
};

/** Text stays as readable as elsewhere; the state shows in title, icon and edge. */
function alertColours(_theme: unknown, { color }: { color?: string }) {
  const colour = stateColours[color ?? ""] ?? "var(--mantine-color-anchor)";
  return {
    root: {
      "--alert-bg": `color-mix(in srgb, ${colour} 7%, var(--mantine-color-body))`,
      "--alert-bd": `1px solid color-mix(in srgb, ${colour} 35%, var(--mantine-color-body))`,
      "--alert-color": colour,
    },
  };
}

/** Night blue and moon yellow on neutral greys, system fonts with good Chinese ones. */
export const theme = createTheme({
  colors: { night, moon },
  primaryColor: "night",
  primaryShade: { light: 7, dark: 5 },
  fontFamily: systemFonts,
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace',
  headings: { fontFamily: systemFonts, fontWeight: "600" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: { Alert: Alert.extend({ vars: alertColours }) },
});

/** Mantine's own colours of secondary text and links are too faint for WCAG AA on this background. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "#5c636b", "--mantine-color-placeholder": "#6b727a" },
  dark: {
    "--mantine-color-dimmed": "#a3a9b1",
    "--mantine-color-placeholder": "#9399a1",
    "--mantine-color-anchor": "#8fabe6",
  },
});
