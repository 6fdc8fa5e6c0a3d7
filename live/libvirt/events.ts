import type { LibvirtConnection } from './connection.ts';
import type { DomainEvent } from './session-types.ts';

/** virDomainEventType, in its order. */
const LIFECYCLE = [
  'defined',
  'undefined',
  'started',
  'suspended',
  'resumed',
  'stopped',
  'shutdown',
  'pmsuspended',
  'crashed',
] as const;

export function describeEvent(event: DomainEvent): string {
  const what =
    event.kind === 'metadata' ? 'metadata changed' : (LIFECYCLE[event.event] ?? `event ${event.event}`);
  return `${event.name}: ${what}`;
}

/** A domain that starts sends several events at once; one look at the list serves them all. */
const SETTLE_MS = 100;

/**
 * Calls `onChange` soon after anything happened by which the list of domains may have changed: a domain event, or
 * a connection that is back and may have missed some.
 * @returns a function that ends it
 */
export function followChanges(connection: LibvirtConnection, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      onChange();
    }, SETTLE_MS);
  };
  const unlisten = connection.listen({ onEvent: soon, onBack: soon });
  return () => {
    unlisten();
    clearTimeout(timer);
  };
}
