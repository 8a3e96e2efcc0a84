/** Moonbridge's mark: a crescent over the arc of a bridge. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="mark">
      <path className="mark-moon" d="M20.6 4.2a8 8 0 1 0 5.2 11.4 6.6 6.6 0 0 1-5.2-11.4z" />
      <path className="mark-bridge" d="M3.5 27.5c3-5.4 7.4-8 12.5-8s9.5 2.6 12.5 8" />
    </svg>
  );
}
