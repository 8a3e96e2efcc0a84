import { CopyButton } from "./copy-button.jsx";

/** Text to be typed elsewhere, with a button that copies it. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div className="code-block">
      <section aria-label={label} className="code-scroll">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard (WCAG 2.1.1). */}
        <pre tabIndex={0}>
          <code>{text}</code>
        </pre>
      </section>
      <div className="code-copy">
        <CopyButton text={text} label={label} />
      </div>
    </div>
  );
}

/** A value to be typed into a field elsewhere, such as an address or a key. */
export function CopyValue({ text, label }: { text: string; label: string }) {
  return (
    <span className="copy-value">
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </span>
  );
}
