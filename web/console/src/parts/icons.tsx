// The icons, as strokes on a field of 16. Each says nothing to a screen reader: the text beside it does.

const PATHS = {
  overview: "M2 9h2.5l2-5 3 9 2-6 1 2H14",
  traces: "M2 3.5h7M5 8h6M8.5 12.5H14",
  graph:
    "M4 5.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12 9.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM4.5 14.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6 4l4.2 2.5M10.3 8.6l-4 2.8",
  metrics: "M2 2.5v11h12M4.5 10l2.6-3.4 2.2 1.8L13 4",
  logs: "M2.5 3.5h2M7 3.5h6.5M2.5 8h2M7 8h4.5M2.5 12.5h2M7 12.5h6.5",
  alerts:
    "M8 2a4 4 0 0 0-4 4c0 3.6-1.5 4.6-1.5 5.6h11C13.5 10.6 12 9.6 12 6a4 4 0 0 0-4-4zM6.6 14a1.5 1.5 0 0 0 2.8 0",
  silenced: "M8 2a4 4 0 0 0-4 4c0 3.6-1.5 4.6-1.5 5.6h11C13.5 10.6 12 9.6 12 6a4 4 0 0 0-4-4zM2 2l12 12",
  setup:
    "M2 4.5h7M12.5 4.5H14M2 11.5h2M7.5 11.5H14M10.7 6.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4zM5.7 13.2a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13",
  moon: "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z",
  help: "M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.7.4-1.1.8-1.1 1.6M8 11.9v.1",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5h7v8h-7zM10.5 5.5v-3h-7v8h2",
  done: "M3 8.5l3.2 3.2L13 5",
  download: "M8 2v8M4.8 7L8 10.2 11.2 7M2.5 13.5h11",
  terminal: "M2.5 4l4 4-4 4M8 12h5.5",
  error: "M8 1.6l6.4 6.4L8 14.4 1.6 8zM8 5v3.6M8 10.8v.2",
  warning: "M8 2l6.5 11.5h-13zM8 6.5v3.2M8 11.6v.1",
  info: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 7.3v3.9M8 4.8v.1",
  right: "M6 3.5L10.5 8 6 12.5",
  down: "M3.5 6L8 10.5 12.5 6",
  left: "M10 3.5L5.5 8 10 12.5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4L14 14",
  pause: "M5.5 3v10M10.5 3v10",
  play: "M4.5 2.8l8 5.2-8 5.2z",
  again: "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.5v3h-3",
  link: "M6.5 9.5l3-3M7 4.5l1.3-1.3a3 3 0 0 1 4.4 4.4L11.5 9M9 11.5l-1.3 1.3a3 3 0 0 1-4.4-4.4L4.5 7",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  hop: "M2 8h2M6.5 8h2M11 5l3 3-3 3",
  clock: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4.5V8l2.5 1.5",
  filter: "M2 3h12l-4.7 5.6V13L6.7 11.8V8.6z",
} as const;

export type IconName = keyof typeof PATHS;

/** The icon for use within a drawing. */
export function pathOf(name: IconName): string {
  return PATHS[name];
}

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Head lamp and beam. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
      <path class="mark-lamp" d="M14 7a9 9 0 0 0 0 18c2 0 3-4 3-9s-1-9-3-9z" />
      <path class="mark-beam" d="M20 9.5h7M20.6 16H29M20 22.5h7" />
    </svg>
  );
}
