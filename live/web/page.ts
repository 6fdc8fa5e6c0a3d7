import type { EventView } from '../server/views.ts';

/** A page that is shown: its content, and how it is brought up to date. */
export interface Page {
  readonly title: string;
  readonly element: HTMLElement;
  /** Reads what it shows. Called at once, after each tick, and after something was changed here. */
  update(): Promise<void>;
  /** Told of each event as it comes. */
  onEvent?(event: EventView): void;
}

export interface Shell {
  /** Brings everything on the page up to date. */
  refresh(): void;
}
